import { describe, expect, it } from "vitest";
import type { Viewpoint } from "../api/wire";
import { ringLayout, SIZE } from "./ring_layout";

function viewpoints(views: number, rings = 1): Viewpoint[] {
  return Array.from({ length: views * rings }, (_, index) => {
    const ring = Math.floor(index / views);
    return { index, ring, angle_deg: ring * 360 + (((index % views) + (ring % 2) / 2) * 360) / views } as Viewpoint;
  });
}

describe("the ring of viewpoints", () => {
  it("begins at the camera, below, and goes clockwise", () => {
    const [first, second] = ringLayout(viewpoints(4)).spots;
    expect(first!.x).toBeCloseTo(SIZE / 2);
    expect(first!.y).toBeGreaterThan(SIZE / 2);
    expect(second!.x).toBeLessThan(SIZE / 2);
    expect(second!.y).toBeCloseTo(SIZE / 2);
  });

  it.each([
    [3, 1],
    [12, 1],
    [36, 1],
    [36, 3],
    [72, 2],
    [360, 1],
  ])("%i viewpoints in %i rings stay inside and do not overlap", (views, rings) => {
    const { spots, inside } = ringLayout(viewpoints(views, rings));
    expect(spots).toHaveLength(views * rings);
    expect(inside).toBeGreaterThan(0);
    for (const [place, spot] of spots.entries()) {
      expect(Math.hypot(spot.x - SIZE / 2, spot.y - SIZE / 2) + spot.radius).toBeLessThanOrEqual(SIZE / 2);
      for (const other of spots.slice(place + 1)) {
        const distance = Math.hypot(spot.x - other.x, spot.y - other.y);
        expect(distance).toBeGreaterThan((spot.radius + other.radius) * 0.999);
      }
    }
  });
});
