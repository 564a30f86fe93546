import { webcrypto } from "node:crypto";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { change, newCommandId, read } from "./client";

const sent: [string, RequestInit][] = [];

beforeEach(() => {
  vi.stubGlobal("document", { baseURI: "http://scanner.local/under/a/path/" });
  // Browsers have had it for long, Node 18 has not.
  vi.stubGlobal("crypto", webcrypto);
});

afterEach(() => {
  sent.length = 0;
  vi.unstubAllGlobals();
});

function answer(...answers: (() => Promise<Response>)[]): void {
  vi.stubGlobal("fetch", (url: string, request: RequestInit) => {
    sent.push([url, request]);
    return answers[sent.length - 1]!();
  });
}

/** Neither an answer nor an error, until the request is given up. */
function silence(): Promise<Response> {
  const { signal } = sent.at(-1)![1];
  return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(new DOMException("", "AbortError"))));
}

it("asks beside the page, wherever that is", async () => {
  answer(async () => Response.json({ mood: "idle" }));
  expect(await read("state")).toEqual({ mood: "idle" });
  expect(sent[0]![0]).toBe("http://scanner.local/under/a/path/api/v1/state");
});

it("waits for an answer no longer than its deadline", async () => {
  answer(silence);
  await expect(read("state", 20)).rejects.toMatchObject({ kind: "too late" });
});

it("waits no longer for the rest of an answer that has begun", async () => {
  const begun = () => new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array([123])) }));
  answer(async () => {
    const response = begun();
    sent.at(-1)![1].signal!.addEventListener("abort", () => void response.body!.cancel().catch(() => undefined));
    response.json = () => silence() as Promise<never>;
    return response;
  });
  await expect(read("state", 20)).rejects.toMatchObject({ kind: "too late" });
});

it("sends a command again under the same id when its answer was lost", async () => {
  answer(
    () => Promise.reject(new TypeError("network")),
    async () => Response.json({ status: "accepted" }),
  );
  expect(await change("POST", "scans", { views: 8 })).toEqual({ status: "accepted" });
  const ids = sent.map(([, request]) => (request.headers as Record<string, string>)["Idempotency-Key"]);
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).toMatch(/^[0-9a-f]{24}$/);
});

it("does not send again what was refused, and tells why", async () => {
  const problem = { title: "Conflict", status: 409, detail: "busy: scan cup is capturing" };
  answer(async () => Response.json(problem, { status: 409 }));
  await expect(change("POST", "scans")).rejects.toMatchObject({ kind: "refused", detail: problem.detail });
  expect(sent).toHaveLength(1);
});

it("makes another id for each command, without https", () => {
  expect(new Set(Array.from({ length: 100 }, newCommandId)).size).toBe(100);
});
