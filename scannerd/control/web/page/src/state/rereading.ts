const SHORTEST_GAP_MS = 200;

/** Reads again after events, at most a few times a second, and always once more after the last of them. */
export class Rereading {
  private running = false;
  private wanted = false;

  constructor(
    private readonly read: () => Promise<void>,
    private readonly failed: (failure: unknown) => void,
    private readonly gap_ms = SHORTEST_GAP_MS,
  ) {}

  want(): void {
    this.wanted = true;
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      while (this.wanted) {
        this.wanted = false;
        await this.read();
        await new Promise((resolve) => setTimeout(resolve, this.gap_ms));
      }
    } catch (failure) {
      this.failed(failure);
    } finally {
      this.running = false;
    }
  }
}
