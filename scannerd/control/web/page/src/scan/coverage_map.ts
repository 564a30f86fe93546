/** The map is drawn this wide and high, in units of its own. */
export const MAP_SIZE = 200;
const OUTER = MAP_SIZE / 2 - 2;
const INNER = 12;

export type Level = "well" | "some" | "hardly";

/** One piece of the map. */
export interface Piece {
  path: string;
  level: Level;
}

/**
 * Draw the bands round each other, as somebody sees the object who stands over it: the lowest band outermost, the
 * first sector to the right, the others counter-clockwise. The camera of the first photo is below.
 */
export function pieces(map: readonly (readonly (number | null)[])[]): Piece[] {
  const width = (OUTER - INNER) / map.length;
  return map.flatMap((band, number) => {
    const outer = OUTER - number * width;
    return band.flatMap((weak, sector) =>
      weak === null ? [] : [{ path: piece(outer - width, outer, sector, band.length), level: levelOf(weak) }],
    );
  });
}

/** `weak` is the share of the surface that too few photos show. */
export function levelOf(weak: number): Level {
  if (weak > 0.5) return "hardly";
  return weak > 0.15 ? "some" : "well";
}

function piece(inner: number, outer: number, sector: number, sectors: number): string {
  const [from, to] = [(2 * Math.PI * sector) / sectors, (2 * Math.PI * (sector + 1)) / sectors];
  const corners = [at(inner, from), at(outer, from), at(outer, to), at(inner, to)];
  const [a, b, c, d] = corners.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`);
  return `M${a} L${b} A${outer} ${outer} 0 0 0 ${c} L${d} A${inner} ${inner} 0 0 1 ${a} Z`;
}

function at(radius: number, angle_rad: number): [x: number, y: number] {
  return [MAP_SIZE / 2 + radius * Math.cos(angle_rad), MAP_SIZE / 2 - radius * Math.sin(angle_rad)];
}
