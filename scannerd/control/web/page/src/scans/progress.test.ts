import { beforeAll, expect, it, vi } from "vitest";
import type { ScanOverview } from "../api/wire";

beforeAll(() => {
  vi.stubGlobal("document", { documentElement: {}, baseURI: "http://scanner.local/" });
  vi.stubGlobal("navigator", { language: "en-GB" });
});

function scan(known: object): ScanOverview {
  const plain = { scan_id: "cup", state: "sealed", frames_done: 36, frames_planned: 36, upload: null, has_model: false };
  return { ...plain, fault: null, ...known } as unknown as ScanOverview;
}

const UPLOAD = { leg: "uploading", percent: 41.6, stage: null, error: null };

it.each([
  [{ state: "running", frames_done: 9 }, "moving", "Scanning 25 %"],
  [{ state: "unfinished" }, "resting", "Interrupted"],
  [{ state: "broken", fault: "line 3 is torn" }, "bad", "Cannot be read: line 3 is torn"],
  [{}, "resting", "Waiting for the upload"],
  [{ upload: UPLOAD }, "moving", "Uploading 42 %"],
  [{ upload: { ...UPLOAD, error: "no route" } }, "moving", "Uploading 42 % (no route)"],
  [{ upload: { ...UPLOAD, leg: "reconstructing", stage: "sweep" } }, "moving", "Reconstructing: measuring depth 42 %"],
  [{ upload: { ...UPLOAD, leg: "failed", error: "too dark" } }, "bad", "No model: too dark"],
  [{ has_model: true, upload: UPLOAD }, "ready", "Model ready"],
])("says where %o is", async (known, kind, text) => {
  const { progressOf } = await import("./progress");
  expect(progressOf(scan(known))).toMatchObject({ kind, text });
});
