import { describe, expect, it } from "vitest";
import { EventParser } from "./event_parser";

const STREAM = "id: b1-7\nevent: frame_stored\ndata: {\"seq\":7}\n\n: still here\n\ndata: a\r\ndata: b\r\n\r\n";
const MESSAGES = [
  { id: "b1-7", type: "frame_stored", data: '{"seq":7}' },
  { id: "b1-7", type: "message", data: "a\nb" },
];

describe("the event parser", () => {
  it("reads messages and skips comments", () => {
    expect(new EventParser().feed(STREAM)).toEqual(MESSAGES);
  });

  it("does not care where the network cuts the text", () => {
    for (let cut = 1; cut < STREAM.length; cut += 1) {
      const parser = new EventParser();
      expect([...parser.feed(STREAM.slice(0, cut)), ...parser.feed(STREAM.slice(cut))]).toEqual(MESSAGES);
    }
  });

  it("keeps an unfinished message for later", () => {
    const parser = new EventParser();
    expect(parser.feed("data: half")).toEqual([]);
    expect(parser.feed(" a message\n\n")).toEqual([{ id: null, type: "message", data: "half a message" }]);
  });
});
