import { describe, expect, it } from "vitest";
import { levelOf, MAP_SIZE, pieces } from "./coverage_map";

function middleOf(path: string): [number, number] {
  const corners = Array.from(path.matchAll(/(?:M|L|1 |0 )(-?\d+\.\d) (-?\d+\.\d)/g), ([, x, y]) => [Number(x), Number(y)]);
  const mean = (axis: number) => corners.reduce((sum, corner) => sum + corner[axis]!, 0) / corners.length;
  return [mean(0), mean(1)];
}

describe("the map of what photos show", () => {
  it("leaves out where there is no surface", () => {
    expect(pieces([[0, null, 1]])).toHaveLength(2);
  });

  it("has the first sector to the right and goes counter-clockwise", () => {
    const [right, above] = pieces([[0, 0, 0, 0]]).map(({ path }) => middleOf(path));
    expect(right![0]).toBeGreaterThan(MAP_SIZE / 2);
    expect(above![0]).toBeLessThan(MAP_SIZE / 2);
    expect(above![1]).toBeLessThan(MAP_SIZE / 2);
  });

  it("has the lowest band outermost", () => {
    const drawn = pieces([[0, 0, 0, 0], [0, 0, 0, 0]]);
    const far = (place: number) => {
      const [x, y] = middleOf(drawn[place]!.path);
      return Math.hypot(x - MAP_SIZE / 2, y - MAP_SIZE / 2);
    };
    expect(far(0)).toBeGreaterThan(far(4));
  });

  it("names three levels", () => {
    expect([0, 0.3, 0.9].map(levelOf)).toEqual(["well", "some", "hardly"]);
  });
});
