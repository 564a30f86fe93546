import { address } from "../api/client";
import type { ScanOverview } from "../api/wire";
import { Action } from "../parts/action";
import { Icon } from "../parts/icon";
import { Meter } from "../parts/meter";
import { Photo } from "../parts/photo";
import { restoreScan } from "../state/commands";
import { moment } from "../words/figures";
import { say, sayCount } from "../words/messages";
import { progressOf } from "./progress";

/** One scan in the gallery. */
export function ScanCard({ scan, deleted }: { scan: ScanOverview; deleted: boolean }) {
  const progress = progressOf(scan);
  const body = (
    <>
      <div class="scan-picture">
        {!deleted && (scan.frames_done > 0 || scan.has_model) ? (
          <Photo src={pictureOf(scan)} alt="" failed="" />
        ) : (
          <Icon name="cube" />
        )}
        {scan.has_model && (
          <span class="badge">
            <Icon name="cube" />
            3D
          </span>
        )}
      </div>
      <div class="scan-words">
        <h2>{scan.scan_id}</h2>
        <p class="muted">
          {scan.created_at && `${moment(scan.created_at)} · `}
          {sayCount("photos", scan.frames_done)}
        </p>
        <p class={`step ${progress.kind}`}>{progress.text}</p>
        {progress.percent !== null && <Meter label={progress.text} percent={progress.percent} />}
      </div>
    </>
  );
  return (
    <li class="scan-card">
      {deleted ? (
        <div class="scan-link">
          {body}
          <Action kind="plain" icon="undo" label={say("scans.restore")} run={() => restoreScan(scan.scan_id)} />
        </div>
      ) : (
        <a class="scan-link" href={`#/scans/${encodeURIComponent(scan.scan_id)}`}>
          {body}
        </a>
      )}
    </li>
  );
}

/** The model if there is one, else the first photo. */
function pictureOf(scan: ScanOverview): string {
  const what = scan.has_model ? "results/preview.jpg" : "thumbnails/0.jpg";
  return address(`scans/${scan.scan_id}/${what}`);
}
