import type { EventMessage, ScanDetail, Verdict, Viewpoint } from "../api/wire";

/** Return the scan as it is after an event. What the page cannot know from the event it learns at the next reading. */
export function afterEvent(scan: ScanDetail, event: EventMessage): ScanDetail {
  const { data } = event;
  if (data.scan_id !== scan.scan_id) return scan;
  if (event.type === "frames_lost") return withoutPhotos(scan, data.indices as number[], Number(data.frames_done));
  if (typeof data.index !== "number") return scan;
  const index = data.index;
  if (event.type === "frame_judged") {
    return withViewpoint(scan, index, (viewpoint) => ({
      ...viewpoint,
      verdict: data.verdict as Verdict,
      attempts: Number(data.attempt),
      sharpness: Number(data.sharpness),
      // The reason of a retake stays when the retake is good: it is why there is one.
      reason: data.verdict === "accept" ? viewpoint.reason : String(data.reason),
    }));
  }
  if (event.type === "frame_stored") {
    const stored = withViewpoint(scan, index, (viewpoint) => ({
      ...viewpoint,
      status: "stored",
      verdict: viewpoint.verdict ?? "accept",
      attempts: Number(data.attempt),
      sharpness: Number(data.sharpness),
      size_bytes: Number(data.size_bytes),
      retake_wanted: false,
    }));
    return { ...stored, frames_done: Number(data.frames_done) };
  }
  if (event.type === "retake_wanted") {
    return withViewpoint(scan, index, (viewpoint) => ({ ...viewpoint, retake_wanted: true }));
  }
  return scan;
}

/** Photos that were found damaged are planned once more. */
function withoutPhotos(scan: ScanDetail, lost: number[], frames_done: number): ScanDetail {
  const viewpoints = scan.viewpoints.map((viewpoint) =>
    lost.includes(viewpoint.index) ? { ...viewpoint, status: "planned" as const, size_bytes: null } : viewpoint,
  );
  return { ...scan, viewpoints, frames_done };
}

function withViewpoint(scan: ScanDetail, index: number, changed: (viewpoint: Viewpoint) => Viewpoint): ScanDetail {
  const viewpoints = scan.viewpoints.map((viewpoint) =>
    viewpoint.index === index ? changed(viewpoint) : viewpoint,
  );
  return { ...scan, viewpoints };
}

export type Standing = "planned" | "current" | "accept" | "retaken" | "retake" | "ask";

/** What a person should see at a viewpoint: one word, one colour, one sign. */
export function standingOf(viewpoint: Viewpoint, current: number | null): Standing {
  if (viewpoint.retake_wanted) return "retake";
  const isCurrent = viewpoint.index === current;
  if (viewpoint.status === "planned") {
    if (isCurrent && viewpoint.verdict !== null && viewpoint.verdict !== "accept") return viewpoint.verdict;
    return isCurrent ? "current" : "planned";
  }
  if (viewpoint.verdict === "ask" || viewpoint.verdict === "retake") return "ask";
  return viewpoint.attempts > 1 ? "retaken" : "accept";
}
