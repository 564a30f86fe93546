/** One message of a `text/event-stream`. */
export interface StreamMessage {
  id: string | null;
  type: string;
  data: string;
}

/** Cuts the text of an event stream into messages, however the network cut it into pieces. */
export class EventParser {
  private rest = "";
  private id: string | null = null;
  private type = "";
  private data: string[] = [];

  feed(text: string): StreamMessage[] {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.take(line));
  }

  private take(line: string): StreamMessage[] {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return [];
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.type = value;
    else if (field === "id") this.id = value;
    return [];
  }

  private dispatch(): StreamMessage[] {
    const { data, type } = this;
    this.data = [];
    this.type = "";
    if (data.length === 0) return [];
    return [{ id: this.id, type: type || "message", data: data.join("\n") }];
  }
}
