import { afterEach, beforeAll, expect, it, vi } from "vitest";

beforeAll(() => {
  vi.stubGlobal("document", { documentElement: {}, baseURI: "http://scanner.local/" });
  vi.stubGlobal("navigator", { language: "en-GB" });
});

afterEach(async () => {
  (await import("./language")).language.value = "en";
});

it("writes numbers as the language does", async () => {
  const { figure, bytes, degrees } = await import("./figures");
  const { language } = await import("./language");
  expect([figure(1234.5, 1), bytes(2_340_000), degrees(12.5), degrees(90)]).toEqual(["1,234.5", "2.3 MB", "12.5", "90"]);
  language.value = "de";
  expect([figure(1234.5, 1), bytes(2_340_000), degrees(12.5), degrees(90)]).toEqual(["1.234,5", "2,3 MB", "12,5", "90"]);
});

it("writes durations", async () => {
  const { about, clock, span } = await import("./figures");
  expect([clock(0), clock(67), clock(3729), clock(-4)]).toEqual(["0:00", "1:07", "1:02:09", "0:00"]);
  expect([span(12), span(240), span(7500), span(100_000)]).toEqual(["under a minute", "4 min", "2 h 5 min", "1 d 3 h"]);
  expect([about(12), about(240)]).toEqual(["under a minute", "about 4 min"]);
});

it("counts in words", async () => {
  const { sayCount } = await import("./messages");
  expect([sayCount("photos", 1), sayCount("photos", 36)]).toEqual(["1 photo", "36 photos"]);
});
