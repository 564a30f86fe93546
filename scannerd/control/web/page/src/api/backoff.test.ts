import { expect, it } from "vitest";
import { Backoff } from "./backoff";

it("doubles up to ten seconds and starts again after a reset", () => {
  const backoff = new Backoff(() => 1);
  expect([1, 2, 3, 4, 5, 6, 7].map(() => backoff.next_ms())).toEqual([500, 1000, 2000, 4000, 8000, 10000, 10000]);
  backoff.reset();
  expect(backoff.next_ms()).toBe(500);
});

it("never waits less than half of its ceiling", () => {
  expect(new Backoff(() => 0).next_ms()).toBe(250);
});
