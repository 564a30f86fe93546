import { address } from "./client";
import { Backoff } from "./backoff";
import { EventParser, type StreamMessage } from "./event_parser";
import { Failure, failureOf } from "./failure";

/** The daemon sends at least a comment more often than this; a stream that is quiet for longer is dead. */
export const QUIET_LIMIT_MS = 25_000;
const OPEN_LIMIT_MS = 10_000;
/** Who is not paired gains nothing by asking often, and wrong tokens are counted over there. */
const UNPAIRED_WAIT_MS = 60_000;

export interface StreamListener {
  /** The stream is open; `resumed` when the daemon was asked for what came since the last message. */
  opened(resumed: boolean): void;
  heard(message: StreamMessage): void;
  lost(failure: Failure): void;
}

/** Follows `GET /events` for as long as the page lives: reconnects by itself and says what it last heard. */
export class EventStream {
  private lastId: string | null = null;
  private readonly backoff = new Backoff();
  private wake: () => void = () => undefined;
  private abort = new AbortController();

  constructor(
    private readonly listener: StreamListener,
    private readonly ask: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  async follow(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const failure = await this.followOnce(stop).catch(asFailure);
      if (stop.aborted) return;
      this.listener.lost(failure);
      await this.pause(failure.kind === "unpaired" ? UNPAIRED_WAIT_MS : this.backoff.next_ms());
    }
  }

  /** Try at once: the network came back, or a person asked for it. */
  hurry(): void {
    this.wake();
  }

  /** Drop the present connection, for instance because the network said that it is gone. */
  drop(): void {
    this.abort.abort();
  }

  private async followOnce(stop: AbortSignal): Promise<Failure> {
    this.abort = new AbortController();
    const give_up = () => this.abort.abort();
    stop.addEventListener("abort", give_up);
    let watch = setTimeout(give_up, OPEN_LIMIT_MS);
    try {
      const response = await this.open();
      this.listener.opened(this.lastId !== null);
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventParser();
      for (;;) {
        clearTimeout(watch);
        watch = setTimeout(give_up, QUIET_LIMIT_MS);
        const { done, value } = await reader.read();
        if (done) return new Failure("no connection", "");
        this.backoff.reset();
        parser.feed(value).forEach((message) => this.hear(message));
      }
    } finally {
      clearTimeout(watch);
      stop.removeEventListener("abort", give_up);
      this.abort.abort();
    }
  }

  private async open(): Promise<Response> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (this.lastId !== null) headers["Last-Event-ID"] = this.lastId;
    const response = await this.ask(address("events"), {
      headers,
      credentials: "same-origin",
      cache: "no-store",
      signal: this.abort.signal,
    });
    if (!response.ok) throw await failureOf(response);
    return response;
  }

  private hear(message: StreamMessage): void {
    if (message.id !== null) this.lastId = message.id;
    this.listener.heard(message);
  }

  private pause(wait_ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait_ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure("no connection", "");
}
