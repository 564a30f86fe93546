import { useState } from "preact/hooks";
import type { RunningScan, ScanDetail } from "../api/wire";
import { Action } from "../parts/action";
import { useSecondsSince } from "../parts/clock";
import { Confirm } from "../parts/dialog";
import { Facts } from "../parts/facts";
import { Meter } from "../parts/meter";
import { cancelScan, pauseScan, resumeScan } from "../state/commands";
import { link, state, stateReadAt_ms } from "../state/scanner";
import { clock, degrees, figure } from "../words/figures";
import { say, sayKnown } from "../words/messages";
import { CoveragePart } from "./coverage";
import { MorePhotos } from "./more_photos";
import { Retaken } from "./retaken";

export interface ProgressPanelProps {
  scan: RunningScan;
  detail: ScanDetail | null;
  open: (index: number) => void;
}

/** How far the scan is, and the three things that one may want of it. */
export function ProgressPanel({ scan, detail, open }: ProgressPanelProps) {
  const [isAsking, setAsking] = useState(false);
  const mood = state.value?.mood;
  const rests = mood === "paused" || mood === "asking";
  return (
    <aside class="panel">
      <div class="panel-body">
        <h1 class="unseen">{say("scan.progress")}</h1>
        <Figures scan={scan} rests={rests} />
        {scan.coverage && <CoveragePart coverage={scan.coverage} />}
        {detail && <Retaken scan={detail} open={open} />}
        <Remarks scan_id={scan.scan_id} />
        <MorePhotos scan_id={scan.scan_id} />
      </div>
      {!scan.question && <Buttons scan_id={scan.scan_id} rests={rests} cancel={() => setAsking(true)} />}
      {isAsking && (
        <Confirm
          title={say("scan.cancel.ask")}
          help={say("scan.cancel.help")}
          yes={say("scan.cancel.yes")}
          no={say("scan.cancel.no")}
          run={() => cancelScan(scan.scan_id)}
          close={() => setAsking(false)}
        />
      )}
    </aside>
  );
}

/** A question has answers of its own. */
function Buttons({ scan_id, rests, cancel }: { scan_id: string; rests: boolean; cancel: () => void }) {
  return (
    <div class="buttons">
      {rests ? (
        <Action kind="main" large icon="play" label={say("scan.resume")} run={() => resumeScan(scan_id)} />
      ) : (
        <Action kind="main" large icon="pause" label={say("scan.pause")} run={() => pauseScan(scan_id)} />
      )}
      <Action kind="danger" large icon="stop" label={say("scan.cancel")} run={cancel} />
    </div>
  );
}

function Figures({ scan, rests }: { scan: RunningScan; rests: boolean }) {
  const isTrue = link.value.kind === "connected";
  const since_s = useSecondsSince(stateReadAt_ms.value, isTrue);
  const remaining_s = scan.remaining_s === null ? null : scan.remaining_s - (rests ? 0 : since_s);
  const frames = say("scan.frames", { done: figure(scan.frames_done), planned: figure(scan.frames_planned) });
  return (
    <section class={isTrue ? "figures" : "figures old"}>
      <p class="phase">
        {sayKnown("phase", state.value?.phase ?? "")}
        {scan.angle_deg !== null && <b> {say("preview.at", { angle: degrees(scan.angle_deg % 360) })}</b>}
      </p>
      <p class="count">
        <b>{figure(scan.frames_done)}</b> / {figure(scan.frames_planned)}
      </p>
      <Meter label={frames} percent={scan.percent} />
      <Facts
        facts={[
          [say("scan.elapsed"), clock(scan.elapsed_s + since_s)],
          [say("scan.remaining"), remaining_s === null ? "–" : clock(remaining_s)],
          [say("scan.retakes"), figure(scan.retakes)],
        ]}
      />
      <p class="unseen" role="status">
        {tenth(scan)}
      </p>
    </section>
  );
}

/** A screen reader is told every tenth, not every photo. */
function tenth(scan: RunningScan): string {
  const told = Math.floor(scan.percent / 10) * 10;
  return told === 0 ? "" : `${figure(told)} %`;
}

function Remarks({ scan_id }: { scan_id: string }) {
  const remarks = (state.value?.warnings ?? []).filter((remark) => remark.scan_id === scan_id);
  if (remarks.length === 0) return null;
  return (
    <section class="remarks">
      <h2>{say("scan.warnings")}</h2>
      <ul lang="en">
        {remarks.map((remark) => (
          <li key={remark.at}>{remark.message}</li>
        ))}
      </ul>
    </section>
  );
}
