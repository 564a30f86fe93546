import { Failure, failureOf } from "./failure";

const READ_LIMIT_MS = 10_000;
/** Home and the background photo answer when they are done. */
const COMMAND_LIMIT_MS = 60_000;

/** Where the daemon listens: beside the page. */
export function address(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

/** Return the answer's JSON. Every request has a deadline; whatever goes wrong becomes a Failure. */
export function read<T>(path: string, limit_ms = READ_LIMIT_MS): Promise<T> {
  return send(path, { headers: { Accept: "application/json" } }, limit_ms, (response) => response.json() as Promise<T>);
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
  const text = await sendAgainOnce(path, request);
  return (text ? JSON.parse(text) : {}) as T;
}

/** One picture of many; whoever has `seq` can wait for a newer one. */
export interface Picture {
  blob: Blob;
  seq: string | null;
}

/** Return a picture. Raises Failure, or the reason of `signal`. */
export function picture(path: string, signal: AbortSignal, limit_ms: number): Promise<Picture> {
  const take = async (response: Response) => ({ blob: await response.blob(), seq: response.headers.get("X-Seq") });
  return send(path, { cache: "no-store" }, limit_ms, take, signal);
}

/** `crypto.randomUUID` exists only under https, and a scanner in a workshop is reached by plain http. */
export function newCommandId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sendAgainOnce(path: string, request: RequestInit): Promise<string> {
  const text = (response: Response) => response.text();
  try {
    return await send(path, request, COMMAND_LIMIT_MS, text);
  } catch (failure) {
    if (!(failure instanceof Failure) || failure.kind !== "no connection") throw failure;
    return send(path, request, COMMAND_LIMIT_MS, text);
  }
}

/** Send and let `take` read the answer; the deadline is for both. */
async function send<T>(
  path: string,
  request: RequestInit,
  limit_ms: number,
  take: (response: Response) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const deadline = AbortSignal.timeout(limit_ms);
  try {
    const response = await fetch(address(path), {
      credentials: "same-origin",
      ...request,
      signal: signal ? eitherOf(deadline, signal) : deadline,
    });
    if (!response.ok) throw await failureOf(response);
    return await take(response);
  } catch (error) {
    if (error instanceof Failure || signal?.aborted) throw error;
    throw new Failure(deadline.aborted ? "too late" : "no connection", "");
  }
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
