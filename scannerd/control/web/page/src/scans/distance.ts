/** A place on the model, in the model's own coordinates: metres, as glTF has them. */
export interface Point {
  x: number;
  y: number;
  z: number;
}

/** What lengths are shown in, and what to multiply the model's own with. */
export interface LengthUnit {
  name: string;
  perModelUnit: number;
}

const METRIC = new Set(["mm", "cm", "m"]);
const MM_PER_METRE = 1000;

/** A model in metric units is in metres, as glTF wants it; one without a scale keeps the unit of its poses. */
export function lengthUnit(unit: string): LengthUnit {
  return METRIC.has(unit) ? { name: "mm", perModelUnit: MM_PER_METRE } : { name: unit, perModelUnit: 1 };
}

export function distance(from: Point, to: Point): number {
  return Math.hypot(to.x - from.x, to.y - from.y, to.z - from.z);
}
