import { beforeAll, expect, it, vi } from "vitest";
import type { StreamMessage } from "./event_parser";
import { EventStream, type StreamListener } from "./event_stream";
import type { Failure } from "./failure";

beforeAll(() => {
  vi.stubGlobal("document", { baseURI: "http://scanner.local/" });
});

function streamOf(...pieces: string[]): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      pieces.forEach((piece) => controller.enqueue(new TextEncoder().encode(piece)));
      controller.close();
    },
  });
  return new Response(body, { status: 200 });
}

class Notes implements StreamListener {
  readonly opens: boolean[] = [];
  readonly messages: StreamMessage[] = [];
  readonly failures: Failure[] = [];
  constructor(private readonly stop: AbortController, private readonly enough: number) {}
  opened(resumed: boolean): void {
    this.opens.push(resumed);
  }
  heard(message: StreamMessage): void {
    this.messages.push(message);
  }
  lost(failure: Failure): void {
    this.failures.push(failure);
    if (this.failures.length >= this.enough) this.stop.abort();
  }
}

async function followed(answers: (() => Promise<Response>)[]): Promise<{ notes: Notes; sent: (string | undefined)[] }> {
  const stop = new AbortController();
  const notes = new Notes(stop, answers.length);
  const sent: (string | undefined)[] = [];
  const stream = new EventStream(notes, (_url, init) => {
    sent.push((init?.headers as Record<string, string>)["Last-Event-ID"]);
    return answers[sent.length - 1]!();
  });
  const hurry = setInterval(() => stream.hurry(), 1);
  await stream.follow(stop.signal);
  clearInterval(hurry);
  return { notes, sent };
}

it("comes back by itself and asks for what it missed", async () => {
  const { notes, sent } = await followed([
    async () => streamOf('id: b-1\nevent: x\ndata: {"n":1}\n\n'),
    () => Promise.reject(new TypeError("network")),
    async () => streamOf('id: b-2\ndata: {"n":2}\n\n'),
  ]);
  expect(sent).toEqual([undefined, "b-1", "b-1"]);
  expect(notes.opens).toEqual([false, true]);
  expect(notes.messages.map((message) => message.id)).toEqual(["b-1", "b-2"]);
  expect(notes.failures.map((failure) => failure.kind)).toEqual(["no connection", "no connection", "no connection"]);
});

it("tells apart a daemon that wants a token from one that is away", async () => {
  const problem = { title: "Unauthorized", status: 401, detail: "pair first" };
  const { notes } = await followed([async () => Response.json(problem, { status: 401 })]);
  expect(notes.failures[0]).toMatchObject({ kind: "unpaired", detail: "pair first" });
});
