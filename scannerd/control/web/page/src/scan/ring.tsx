import { useRef, useState } from "preact/hooks";
import { address } from "../api/client";
import type { ScanDetail, Viewpoint } from "../api/wire";
import { standingOf, type Standing } from "../state/frames";
import { say } from "../words/messages";
import { labelOf } from "./frame_words";
import { ringLayout, SIZE, type Spot } from "./ring_layout";

const SMALLEST_PHOTO = 11;

/** A small copy of a photo; the address changes with every new attempt, so that no old one is shown. */
export function thumbnailOf(scan_id: string, viewpoint: Viewpoint): string {
  return address(`scans/${scan_id}/thumbnails/${viewpoint.index}.jpg?attempt=${viewpoint.attempts}-${viewpoint.size_bytes}`);
}

export interface RingProps {
  scan: ScanDetail;
  current: number | null;
  /** The camera that is shown; photos of others step back. */
  seen: number;
  open: (index: number) => void;
}

/** The viewpoints of a scan round the object, each ring of each camera a ring; they fill with photos. */
export function Ring({ scan, current, seen, open }: RingProps) {
  const { spots } = ringLayout(scan.viewpoints);
  const [focused, setFocused] = useState(0);
  const drawing = useRef<SVGSVGElement>(null);
  const move = (event: KeyboardEvent) => {
    const next = afterKey(event.key, focused, spots.length);
    if (next === null) return;
    event.preventDefault();
    setFocused(next);
    drawing.current?.querySelector<SVGElement>(`[data-index="${next}"]`)?.focus();
  };
  return (
    <svg
      ref={drawing}
      class="ring"
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      role="group"
      aria-label={say("scan.rings.label")}
      onKeyDown={move}
    >
      <defs>
        <clipPath id="round" clipPathUnits="objectBoundingBox">
          <circle cx="0.5" cy="0.5" r="0.5" />
        </clipPath>
      </defs>
      {spots.map((spot) => {
        const viewpoint = scan.viewpoints[spot.index]!;
        return (
          <RingSpot
            key={spot.index}
            spot={spot}
            scan={scan}
            viewpoint={viewpoint}
            standing={standingOf(viewpoint, current)}
            isSeen={viewpoint.camera === seen}
            reachable={spot.index === focused}
            open={open}
          />
        );
      })}
    </svg>
  );
}

interface RingSpotProps {
  spot: Spot;
  scan: ScanDetail;
  viewpoint: Viewpoint;
  standing: Standing;
  isSeen: boolean;
  reachable: boolean;
  open: (index: number) => void;
}

function RingSpot({ spot, scan, viewpoint, standing, isSeen, reachable, open }: RingSpotProps) {
  const { index, x, y, radius } = spot;
  const verdict = say(`verdict.${standing}`);
  const hasPhoto = viewpoint.status === "stored" && radius >= SMALLEST_PHOTO;
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    open(index);
  };
  return (
    <g
      class={isSeen ? `spot ${standing}` : `spot ${standing} aside`}
      role="button"
      data-index={index}
      tabIndex={reachable ? 0 : -1}
      aria-label={labelOf(scan, viewpoint, verdict)}
      onClick={() => open(index)}
      onKeyDown={onKey}
    >
      <path class="touch" d={spot.slice} />
      <circle class="disc" cx={x} cy={y} r={radius - 1.5} />
      {hasPhoto && (
        <image
          href={thumbnailOf(scan.scan_id, viewpoint)}
          x={x - radius + 3}
          y={y - radius + 3}
          width={2 * radius - 6}
          height={2 * radius - 6}
          preserveAspectRatio="xMidYMid slice"
          clip-path="url(#round)"
        />
      )}
      <circle class="rim" cx={x} cy={y} r={radius - 1.5} />
      <Sign standing={standing} x={x + radius * 0.68} y={y - radius * 0.68} size={Math.max(radius * 0.42, 6)} />
    </g>
  );
}

const SIGNS: Partial<Record<Standing, string>> = {
  retaken: "M-.5 .1A.5 .5 0 1 0 -.2 -.45M-.55 -.5V-.05H-.1",
  retake: "M-.5 .1A.5 .5 0 1 0 -.2 -.45M-.55 -.5V-.05H-.1",
  ask: "M0 -.55V.1M0 .5V.52",
};

/** Colour is never the only thing that tells a verdict. */
function Sign({ standing, x, y, size }: { standing: Standing; x: number; y: number; size: number }) {
  const path = SIGNS[standing];
  if (!path) return null;
  return (
    <g class="sign" transform={`translate(${x} ${y}) scale(${size})`}>
      <circle r="1" />
      <path d={path} />
    </g>
  );
}

function afterKey(key: string, focused: number, count: number): number | null {
  if (key === "ArrowRight" || key === "ArrowDown") return (focused + 1) % count;
  if (key === "ArrowLeft" || key === "ArrowUp") return (focused + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}
