import { beforeEach, expect, it } from "vitest";
import { asQuery, choose, chooseHeight, heights, options, usualOf, wishes } from "./options";

beforeEach(() => {
  heights.value = [];
  choose({ rings: 1 });
});

it("asks only for what somebody chose", () => {
  choose({ views: 24 });
  expect(wishes.value).toEqual({ rings: 1, views: 24 });
  expect(options.value.quality).toBe("standard");
});

it("sends heights once every ring has one", () => {
  choose({ rings: 2 });
  chooseHeight(0, 20);
  expect(wishes.value.ring_elevations_deg).toBeUndefined();
  chooseHeight(1, 50);
  expect(wishes.value).toMatchObject({ rings: 2, ring_elevations_deg: [20, 50] });
  choose({ rings: 1 });
  expect(wishes.value.ring_elevations_deg).toEqual([20]);
});

it("writes a list as its name several times", () => {
  expect(asQuery({ rings: 2, ring_elevations_deg: [20, 50] })).toBe(
    "rings=2&ring_elevations_deg=20&ring_elevations_deg=50",
  );
});

it("takes the number of rings from the lists of the settings", () => {
  const before = options.value;
  expect(usualOf(before, { views: 12, rings: 1, ring_views: [24, 12], ring_elevations_deg: [] })).toMatchObject({
    views: 12,
    rings: 2,
  });
  expect(usualOf(before, { sides: 2, quality: "x" }).sides).toBe(2);
  expect(usualOf(before, { raw: "bundle" }).raw).toBe("bundle");
  expect(usualOf(before, { raw: "x" }).raw).toBe("never");
});
