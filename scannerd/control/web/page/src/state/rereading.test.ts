import { expect, it, vi } from "vitest";
import { Rereading } from "./rereading";

it("reads a burst of events at most twice, the last time after the last of them", async () => {
  let read = 0;
  const rereading = new Rereading(async () => void (read += 1), () => undefined, 5);
  for (let event = 0; event < 100; event += 1) rereading.want();
  await vi.waitFor(() => expect(read).toBe(2));
  rereading.want();
  await vi.waitFor(() => expect(read).toBe(3));
});

it("tells of a failure and reads again at the next event", async () => {
  const failures: unknown[] = [];
  let fails = true;
  const rereading = new Rereading(
    async () => {
      if (fails) throw new Error("away");
    },
    (failure) => failures.push(failure),
    1,
  );
  rereading.want();
  await vi.waitFor(() => expect(failures).toHaveLength(1));
  fails = false;
  rereading.want();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(failures).toHaveLength(1);
});
