import type { ScanDetail, Viewpoint } from "../api/wire";
import { degrees } from "../words/figures";
import { say } from "../words/messages";

/** The name of a camera; the first one has none of its own. */
export function cameraName(cameras: readonly string[], number: number): string {
  return number === 0 ? say("camera.first") : (cameras[number] ?? String(number + 1));
}

/** Whose photo it is; null where a scan has one camera only. */
export function cameraOf(scan: ScanDetail, viewpoint: Viewpoint): string | null {
  return scan.cameras.length > 1 ? cameraName(scan.cameras, viewpoint.camera) : null;
}

/** Which photo of the scan. */
export function titleOf(scan: ScanDetail, viewpoint: Viewpoint): string {
  const place = placeOf(viewpoint);
  const camera = cameraOf(scan, viewpoint);
  return camera === null ? say("frame.title", place) : say("frame.title.camera", { ...place, camera });
}

/** Which photo of the scan, and what was thought of it. */
export function labelOf(scan: ScanDetail, viewpoint: Viewpoint, verdict: string): string {
  const place = { ...placeOf(viewpoint), verdict };
  const camera = cameraOf(scan, viewpoint);
  return camera === null ? say("frame.label", place) : say("frame.label.camera", { ...place, camera });
}

function placeOf(viewpoint: Viewpoint): { number: number; angle: string } {
  return { number: viewpoint.index + 1, angle: degrees(viewpoint.angle_deg % 360) };
}
