const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** How long to wait before the next try: doubles, and is spread so that tablets do not all come at once. */
export class Backoff {
  private tries = 0;

  constructor(private readonly random: () => number = Math.random) {}

  /** Return the next wait. */
  next_ms(): number {
    const ceiling_ms = Math.min(FIRST_WAIT_MS * 2 ** this.tries, LONGEST_WAIT_MS);
    this.tries += 1;
    return ceiling_ms * (0.5 + 0.5 * this.random());
  }

  reset(): void {
    this.tries = 0;
  }
}
