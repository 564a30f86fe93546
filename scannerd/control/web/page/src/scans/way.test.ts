import { beforeAll, expect, it, vi } from "vitest";
import type { WayState } from "../api/wire";

beforeAll(() => {
  vi.stubGlobal("document", { documentElement: {}, baseURI: "http://scanner.local/" });
  vi.stubGlobal("navigator", { language: "en-GB" });
});

function way(known: object): WayState {
  const idle = { carried: 0, waiting: 0, in_work: 0, bytes_left: 0, rate_bytes_s: 0, remaining_s: null };
  return { ...idle, waits: null, last_error: null, clock_off_s: 0, first: null, ...known };
}

const QUIET = { hitch: "quiet_hours", says: "", since: "2026-01-01T22:00:00+01:00", until: "2026-01-02T06:00:00+01:00" };

it.each([
  [{}, []],
  [{ waits: QUIET }, []],
  [{ waits: QUIET, waiting: 1 }, ["Waiting: quiet hours until 06:00 · 1 more scan waits"]],
  [
    { carried: 2, bytes_left: 12e6, rate_bytes_s: 1.5e6, remaining_s: 8, waiting: 40 },
    ["Uploading: 12 MB left, 1.5 MB/s, under a minute · 40 more scans wait"],
  ],
  [{ clock_off_s: -7200 }, ["This device's clock is off by 2 h 0 min; scans get wrong dates"]],
])("says of %o", async (known, texts) => {
  const { wayLines } = await import("./way");
  expect(wayLines(way(known)).map((line) => line.text)).toEqual(texts);
});
