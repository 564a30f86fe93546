import type { Viewpoint } from "../api/wire";

/** The drawing is this wide and high, in units of its own. */
export const SIZE = 600;
const LARGEST_SPOT = 32;
const SPOT_GAP = 0.92;
const RING_GAP = 8;
/** Radius that is left in the middle for the newest photo, however many rings there are. */
const LEAST_INSIDE = 130;
/** With more, photos would be too small for a finger: cameras then share one. */
const MOST_RINGS = 8;

/** Where a viewpoint is drawn. */
export interface Spot {
  index: number;
  x: number;
  y: number;
  radius: number;
  /** The slice of the ring that belongs to it: what a finger may touch. */
  slice: string;
}

export interface RingLayout {
  spots: Spot[];
  /** Radius of the free place in the middle. */
  inside: number;
}

/**
 * Place viewpoints as the camera would stand round the object, seen from above: the first one below, where the camera
 * really is. The table turns counter-clockwise, so the camera walks clockwise. The first ring is the outermost, and
 * after all of its rings each side has as many further in. Several cameras have a ring each, the first one's outermost,
 * as long as that leaves room. Photos of one ring from one angle stand side by side.
 */
export function ringLayout(viewpoints: readonly Viewpoint[]): RingLayout {
  const spots: Spot[] = [];
  let outer = SIZE / 2 - 4;
  const rings = ringsOf(viewpoints);
  const largest = Math.min(LARGEST_SPOT, ((outer - RING_GAP - LEAST_INSIDE) / rings.length - RING_GAP) / 2);
  for (const members of rings) {
    const half_rad = Math.PI / Math.max(members.length, 3);
    const radius = Math.min(spotRadius(outer, half_rad), largest);
    const middle = outer - radius;
    const inner = middle - radius;
    const before = new Map<number, number>();
    for (const { index, angle_deg } of members) {
      const angle = Math.round(angle_deg * 100);
      const beside = before.get(angle) ?? 0;
      before.set(angle, beside + 1);
      const angle_rad = (angle_deg * Math.PI) / 180 + beside * 2 * half_rad;
      const [x, y] = at(middle, angle_rad);
      spots.push({ index, x, y, radius, slice: slice(inner - RING_GAP / 2, outer + RING_GAP / 2, angle_rad, half_rad) });
    }
    outer = inner - RING_GAP;
  }
  return { spots, inside: outer - RING_GAP };
}

/** The viewpoints of each ring of each side, and of each camera, in the order in which they are taken. */
function ringsOf(viewpoints: readonly Viewpoint[]): Viewpoint[][] {
  const rings = new Map<number, Viewpoint[]>();
  const [sides, most, cameras] = [countOf(viewpoints, "side"), countOf(viewpoints, "ring"), countOf(viewpoints, "camera")];
  const areApart = sides * most * cameras <= MOST_RINGS;
  for (const viewpoint of viewpoints) {
    const turn = viewpoint.side * most + viewpoint.ring;
    const place = areApart ? turn * cameras + viewpoint.camera : turn;
    rings.set(place, [...(rings.get(place) ?? []), viewpoint]);
  }
  return [...rings].sort(([one], [other]) => one - other).map(([, members]) => members);
}

function countOf(viewpoints: readonly Viewpoint[], what: "side" | "ring" | "camera"): number {
  return Math.max(0, ...viewpoints.map((viewpoint) => viewpoint[what])) + 1;
}

/** The largest circles that stand side by side inside `outer`. */
function spotRadius(outer: number, half_rad: number): number {
  const touching = (outer * Math.sin(half_rad)) / (1 + Math.sin(half_rad));
  return touching * SPOT_GAP;
}

function at(radius: number, angle_rad: number): [x: number, y: number] {
  return [SIZE / 2 - radius * Math.sin(angle_rad), SIZE / 2 + radius * Math.cos(angle_rad)];
}

function slice(inner: number, outer: number, angle_rad: number, half_rad: number): string {
  const [from, to] = [angle_rad - half_rad, angle_rad + half_rad];
  const corners = [at(outer, from), at(outer, to), at(inner, to), at(inner, from)];
  const [a, b, c, d] = corners.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`);
  return `M${a}A${outer} ${outer} 0 0 1 ${b}L${c}A${inner} ${inner} 0 0 0 ${d}Z`;
}
