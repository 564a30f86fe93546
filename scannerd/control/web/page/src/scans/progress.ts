import type { ScanOverview, UploadProgress } from "../api/wire";
import { figure } from "../words/figures";
import { say, sayKnown } from "../words/messages";

/** Where a scan is on its way to a model: in words, and in percent where something moves. */
export interface ScanProgress {
  kind: "moving" | "resting" | "ready" | "bad";
  text: string;
  percent: number | null;
}

export function progressOf(scan: ScanOverview): ScanProgress {
  if (scan.state === "broken") return bad(`${say("scan.step.broken")}${scan.fault ? `: ${scan.fault}` : ""}`);
  if (scan.state === "running") {
    return moving(say("scan.step.running"), (100 * scan.frames_done) / Math.max(scan.frames_planned, 1));
  }
  if (scan.state !== "sealed") return { kind: "resting", text: say(`scan.step.${scan.state}`), percent: null };
  if (scan.has_model) return { kind: "ready", text: say("scan.step.ready"), percent: null };
  return scan.upload ? onItsWay(scan.upload) : { kind: "resting", text: say("scan.step.waiting"), percent: null };
}

function onItsWay(upload: UploadProgress): ScanProgress {
  switch (upload.leg) {
    case "failed":
      return bad(say("scan.step.failed", { reason: upload.error ?? "" }));
    case "uploading":
      return moving(say("scan.step.uploading"), upload.percent, upload.error);
    case "queued":
      return moving(say("scan.step.queued"), null, upload.error);
    case "reconstructing": {
      const stage = sayKnown("stage", upload.stage ?? "fetch");
      return moving(say("scan.step.computing", { stage }), upload.percent, upload.error);
    }
    case "fetching":
      return moving(say("scan.step.fetching"), null, upload.error);
    case "done":
      return { kind: "ready", text: say("scan.step.ready"), percent: null };
  }
}

/** What hinders it for the moment is said too; it goes on by itself. */
function moving(text: string, percent: number | null, hindrance: string | null = null): ScanProgress {
  const share = percent === null ? "" : ` ${figure(percent)} %`;
  return { kind: "moving", text: `${text}${share}${hindrance ? ` (${hindrance})` : ""}`, percent };
}

function bad(text: string): ScanProgress {
  return { kind: "bad", text, percent: null };
}
