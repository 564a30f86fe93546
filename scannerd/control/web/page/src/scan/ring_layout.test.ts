import { describe, expect, it } from "vitest";
import type { Viewpoint } from "../api/wire";
import { ringLayout, SIZE } from "./ring_layout";

function viewpoints(views: number, rings = 1, beside = 1): Viewpoint[] {
  return Array.from({ length: views * rings * beside }, (_, index) => {
    const ring = Math.floor(index / (views * beside));
    const place = Math.floor(index / beside) % views;
    return { index, ring, side: 0, camera: 0, angle_deg: ring * 360 + ((place + (ring % 2) / 2) * 360) / views } as Viewpoint;
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
    [3, 1, 1],
    [12, 1, 1],
    [36, 1, 1],
    [36, 3, 1],
    [72, 2, 1],
    [360, 1, 1],
    [3, 4, 1],
    [9, 8, 1],
    [12, 2, 3],
    [36, 1, 5],
  ])("%i places in %i rings with %i photos each stay inside and do not overlap", (views, rings, beside) => {
    const { spots, inside } = ringLayout(viewpoints(views, rings, beside));
    expect(spots).toHaveLength(views * rings * beside);
    expect(inside, "room for the newest photo").toBeGreaterThan(SIZE / 5);
    // One expectation for all pairs: sixty thousand of them take longer than a test may.
    let least_gap = Infinity;
    for (const [place, spot] of spots.entries()) {
      expect(Math.hypot(spot.x - SIZE / 2, spot.y - SIZE / 2) + spot.radius).toBeLessThanOrEqual(SIZE / 2);
      for (const other of spots.slice(place + 1)) {
        const distance = Math.hypot(spot.x - other.x, spot.y - other.y);
        least_gap = Math.min(least_gap, distance / (spot.radius + other.radius));
      }
    }
    expect(least_gap).toBeGreaterThan(0.999);
  });

  it("gives every camera a ring of its own, its photo of a stop behind the first one's", () => {
    const both = viewpoints(6).flatMap((one) => [one, { ...one, camera: 1 }]);
    const spots = ringLayout(both.map((one, index) => ({ ...one, index }))).spots;
    const from = (index: number) => {
      const { x, y } = spots.find((spot) => spot.index === index)!;
      return [Math.hypot(x - SIZE / 2, y - SIZE / 2), Math.atan2(y - SIZE / 2, x - SIZE / 2)] as const;
    };
    for (const stop of [0, 1, 2, 3, 4, 5]) {
      const [[first_away, first_turn], [side_away, side_turn]] = [from(2 * stop), from(2 * stop + 1)];
      expect(side_away).toBeLessThan(first_away);
      expect(side_turn).toBeCloseTo(first_turn);
    }
  });

  it("lets cameras share a ring where each its own would leave no room for fingers", () => {
    const many = viewpoints(3, 3).flatMap((one) => [0, 1, 2, 3].map((camera) => ({ ...one, camera })));
    const { spots, inside } = ringLayout(many.map((one, index) => ({ ...one, index })));
    expect(spots).toHaveLength(36);
    expect(inside).toBeGreaterThan(SIZE / 5);
    expect(new Set(spots.map((spot) => Math.round(Math.hypot(spot.x - SIZE / 2, spot.y - SIZE / 2)))).size).toBe(3);
  });

  it("gives every side rings of its own", () => {
    const both = [...viewpoints(6), ...viewpoints(6).map((one) => ({ ...one, index: one.index + 6, side: 1 }))];
    const { spots } = ringLayout(both);
    const away = spots.map((spot) => Math.round(Math.hypot(spot.x - SIZE / 2, spot.y - SIZE / 2)));
    expect(new Set(away.slice(0, 6)).size).toBe(1);
    expect(away[6]!).toBeLessThan(away[0]!);
  });
});
