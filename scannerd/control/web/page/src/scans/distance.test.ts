import { expect, it } from "vitest";
import { distance, lengthUnit } from "./distance";

it("measures millimetres in a model of metres", () => {
  const length = distance({ x: 0.01, y: 0, z: 0 }, { x: 0.01, y: 0.03, z: -0.04 });
  expect(length * lengthUnit("mm").perModelUnit).toBeCloseTo(50, 9);
});

it("claims no millimetres where there is no scale", () => {
  expect(lengthUnit("unit of the given poses")).toEqual({ name: "unit of the given poses", perModelUnit: 1 });
});
