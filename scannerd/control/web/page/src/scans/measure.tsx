import { useCallback, useEffect, useState } from "preact/hooks";
import { Icon } from "../parts/icon";
import { figure } from "../words/figures";
import { say } from "../words/messages";
import { distance, type LengthUnit, type Point } from "./distance";
import { useTap } from "./tap";
import type { Viewer } from "./viewer";

/** Two touches on the model, and the straight line between them in millimetres. */
export function Measure({ viewer, unit }: { viewer: Viewer; unit: LengthUnit }) {
  const [active, setActive] = useState(false);
  const [points, setPoints] = useState<Point[]>([]);
  const [missed, setMissed] = useState(false);

  const set = useCallback(
    (x_px: number, y_px: number) => {
      const hit = viewer.positionAndNormalFromPoint(x_px, y_px);
      setMissed(hit === null);
      if (hit) setPoints((before) => (before.length === 2 ? [hit.position] : [...before, hit.position]));
    },
    [viewer],
  );
  useTap(viewer, active, set);

  const setAtCentre = () => {
    const frame = viewer.getBoundingClientRect();
    set(frame.x + frame.width / 2, frame.y + frame.height / 2);
  };
  const switchTool = () => {
    setActive(!active);
    setPoints([]);
    setMissed(false);
  };

  return (
    <>
      {active && <i class="cross" aria-hidden="true" />}
      <Markers viewer={viewer} points={points} />
      <div class="measure">
        <button type="button" class="action plain" aria-pressed={active} onClick={switchTool}>
          <Icon name="ruler" />
          <span>{say("model.measure")}</span>
        </button>
        {active && (
          <>
            <button type="button" class="action plain" onClick={setAtCentre}>
              <Icon name="cross" />
              <span>{say("model.measure.centre")}</span>
            </button>
            {points.length > 0 && (
              <button type="button" class="action plain" onClick={() => setPoints([])}>
                <Icon name="close" />
                <span>{say("model.measure.clear")}</span>
              </button>
            )}
          </>
        )}
      </div>
      {active && (
        <p class="measured" role="status">
          {missed ? say("model.measure.miss") : told(points, unit)}
        </p>
      )}
    </>
  );
}

function told(points: Point[], unit: LengthUnit): string {
  const [from, to] = points;
  if (!from) return say("model.measure.first");
  if (!to) return say("model.measure.second");
  const length = figure(distance(from, to) * unit.perModelUnit, 1);
  return say("model.distance", { length, unit: unit.name });
}

type Pixel = { x: number; y: number };

/** Draws the points and the line between them where the model now has them. */
function Markers({ viewer, points }: { viewer: Viewer; points: Point[] }) {
  const [pixels, setPixels] = useState<Pixel[]>([]);
  useEffect(() => {
    const place = () => setPixels(points.flatMap((_, number) => pixelOf(viewer, number)));
    points.forEach((point, number) => pin(viewer, number, point));
    // A hotspot takes its place with the viewer's next drawing.
    const waiting = requestAnimationFrame(() => requestAnimationFrame(place));
    viewer.addEventListener("camera-change", place);
    return () => {
      cancelAnimationFrame(waiting);
      viewer.removeEventListener("camera-change", place);
      points.forEach((_, number) => viewer.querySelector(`[slot="${slotOf(number)}"]`)?.remove());
    };
  }, [viewer, points]);
  const [from, to] = pixels;
  return (
    <svg class="markers" aria-hidden="true">
      {from && to && <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />}
      {pixels.map((pixel, number) => (
        <circle key={number} cx={pixel.x} cy={pixel.y} r="7" />
      ))}
    </svg>
  );
}

function slotOf(number: number): string {
  return `hotspot-${number + 1}`;
}

/** The viewer follows elements in such slots through every turn of the model. */
function pin(viewer: Viewer, number: number, { x, y, z }: Point): void {
  const marker = document.createElement("span");
  marker.slot = slotOf(number);
  marker.dataset.position = `${x}m ${y}m ${z}m`;
  viewer.append(marker);
}

function pixelOf(viewer: Viewer, number: number): Pixel[] {
  const place = viewer.queryHotspot(slotOf(number))?.canvasPosition;
  return place ? [{ x: place.x, y: place.y }] : [];
}
