import { Failure, failureOf } from "./failure";

const READ_LIMIT_MS = 10_000;
/** Home and the background photo answer when they are done. */
const COMMAND_LIMIT_MS = 60_000;

/** Where the daemon listens: beside the page. */
export function address(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

/** Return the answer's JSON. Every request has a deadline; whatever goes wrong becomes a Failure. */
export async function read<T>(path: string, limit_ms = READ_LIMIT_MS): Promise<T> {
  const response = await send(path, { headers: { Accept: "application/json" } }, limit_ms);
  return (await response.json()) as T;
}

/** Send a change. `commandId` makes it safe to send twice: the daemon then gives the answer from before. */
export async function change<T>(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body: object = {},
  commandId = newCommandId(),
): Promise<T> {
  const request: RequestInit = {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": commandId },
    body: JSON.stringify(body),
  };
  const response = await sendAgainOnce(path, request);
  const text = await response.text();
  return (text ? JSON.parse(text) : {}) as T;
}

/** Return a picture as a blob. */
export async function picture(path: string, signal: AbortSignal, limit_ms = READ_LIMIT_MS): Promise<Blob> {
  const response = await send(path, { cache: "no-store" }, limit_ms, signal);
  return response.blob();
}

/** `crypto.randomUUID` exists only under https, and a scanner in a workshop is reached by plain http. */
export function newCommandId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sendAgainOnce(path: string, request: RequestInit): Promise<Response> {
  try {
    return await send(path, request, COMMAND_LIMIT_MS);
  } catch (failure) {
    if (!(failure instanceof Failure) || failure.kind !== "no connection") throw failure;
    return send(path, request, COMMAND_LIMIT_MS);
  }
}

async function send(path: string, request: RequestInit, limit_ms: number, signal?: AbortSignal): Promise<Response> {
  const deadline = AbortSignal.timeout(limit_ms);
  let response: Response;
  try {
    response = await fetch(address(path), {
      credentials: "same-origin",
      ...request,
      signal: signal ? eitherOf(deadline, signal) : deadline,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure(deadline.aborted ? "too late" : "no connection", "");
  }
  if (!response.ok) throw await failureOf(response);
  return response;
}

/** `AbortSignal.any` is younger than many a tablet. */
function eitherOf(...signals: AbortSignal[]): AbortSignal {
  const both = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) both.abort(signal.reason);
    signal.addEventListener("abort", () => both.abort(signal.reason), { signal: both.signal });
  }
  return both.signal;
}
