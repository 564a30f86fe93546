import { describe, expect, it } from "vitest";
import type { EventMessage, ScanDetail, Viewpoint } from "../api/wire";
import { afterEvent, standingOf } from "./frames";

function viewpoint(index: number, known: Partial<Viewpoint> = {}): Viewpoint {
  return {
    index,
    ring: 0,
    side: 0,
    camera: 0,
    elevation_deg: null,
    repeat: 0,
    exposure_ev: 0,
    focus_offset_dioptres: 0,
    angle_deg: index * 90,
    status: "planned",
    verdict: null,
    attempts: 0,
    reason: null,
    sharpness: null,
    size_bytes: null,
    retake_wanted: false,
    ...known,
  };
}

const SCAN = {
  scan_id: "cup",
  state: "running",
  frames_done: 0,
  frames_planned: 4,
  viewpoints: [0, 1, 2, 3].map((index) => viewpoint(index)),
} as unknown as ScanDetail;

function event(type: string, data: Record<string, unknown>): EventMessage {
  return { seq: 1, at: "2026-01-01T00:00:00Z", type, data: { scan_id: "cup", ...data } };
}

const BLURRED = "edges 4.1 px wide, this scan's 2.0 px, limit 2.9 px";

describe("a scan after events", () => {
  const judged = event("frame_judged", { index: 1, attempt: 1, verdict: "retake", reason: BLURRED, sharpness: 0.24 });
  const again = event("frame_judged", { index: 1, attempt: 2, verdict: "accept", reason: "fine", sharpness: 0.5 });
  const stored = event("frame_stored", { index: 1, attempt: 2, sharpness: 0.5, size_bytes: 9, frames_done: 2 });

  it("keeps why a photo was taken again when the second one is good", () => {
    const after = [judged, again, stored].reduce(afterEvent, SCAN);
    expect(after.viewpoints[1]).toMatchObject({ status: "stored", attempts: 2, reason: BLURRED, sharpness: 0.5 });
    expect(after.frames_done).toBe(2);
    expect(after.viewpoints[0]).toBe(SCAN.viewpoints[0]);
  });

  it("is untouched by events of other scans and of no viewpoint", () => {
    const other = { ...stored, data: { ...stored.data, scan_id: "bowl" } };
    expect(afterEvent(SCAN, other)).toBe(SCAN);
    expect(afterEvent(SCAN, event("phase_changed", { index: null }))).toBe(SCAN);
  });

  it("plans damaged photos once more", () => {
    const whole = afterEvent(SCAN, stored);
    const after = afterEvent(whole, event("frames_lost", { indices: [1], frames_done: 1 }));
    expect(after.viewpoints[1]).toMatchObject({ status: "planned", size_bytes: null });
    expect(after.frames_done).toBe(1);
  });

  it("remembers a wish until the new photo is there", () => {
    const wanted = afterEvent(SCAN, event("retake_wanted", { index: 1 }));
    expect(standingOf(wanted.viewpoints[1]!, null)).toBe("retake");
    expect(afterEvent(wanted, stored).viewpoints[1]!.retake_wanted).toBe(false);
  });
});

it.each([
  [viewpoint(2), null, "planned"],
  [viewpoint(2), 2, "current"],
  [viewpoint(2, { verdict: "retake", attempts: 1 }), 2, "retake"],
  [viewpoint(2, { verdict: "ask", attempts: 3 }), 2, "ask"],
  [viewpoint(2, { status: "stored", verdict: "accept", attempts: 1 }), 2, "accept"],
  [viewpoint(2, { status: "stored", verdict: "accept", attempts: 2 }), 3, "retaken"],
  [viewpoint(2, { status: "stored", verdict: "ask", attempts: 3 }), 3, "ask"],
])("a viewpoint stands as it is", (seen, current, standing) => {
  expect(standingOf(seen, current)).toBe(standing);
});
