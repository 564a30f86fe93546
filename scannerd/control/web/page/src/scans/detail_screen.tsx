import { useState } from "preact/hooks";
import { read } from "../api/client";
import type { ScanDetail } from "../api/wire";
import { Action } from "../parts/action";
import { Icon } from "../parts/icon";
import { Meter } from "../parts/meter";
import { Wait } from "../parts/wait";
import { resumeScan, sendFirst } from "../state/commands";
import { go } from "../state/place";
import { useResource } from "../state/resource";
import { runningScan, scansChanged, state } from "../state/scanner";
import { moment } from "../words/figures";
import { say, sayCount } from "../words/messages";
import { FrameDialog } from "../scan/frame_dialog";
import { deleteScan } from "./deletion";
import { Exports } from "./exports";
import { LogLines } from "./log_lines";
import { PhotoStrip } from "./photo_strip";
import { progressOf } from "./progress";
import { ResultsPart } from "./results_part";
import { TimingChart } from "./timing_chart";

/** One scan: its model, its photos, what to take home. */
export function DetailScreen({ scan_id }: { scan_id: string }) {
  const frames = runningScan.value?.scan_id === scan_id ? runningScan.value.frames_done : 0;
  const scan = useResource(() => read<ScanDetail>(`scans/${scan_id}`), [scan_id, scansChanged.value, frames]);
  return (
    <div class="detail-view">
      <Wait of={scan}>{(value) => <Detail scan={value} />}</Wait>
    </div>
  );
}

function Detail({ scan }: { scan: ScanDetail }) {
  const [opened, setOpened] = useState<number | null>(null);
  const current = state.value?.scan?.scan_id === scan.scan_id ? state.value.scan.index : null;
  return (
    <>
      <DetailHead scan={scan} />
      {scan.has_model ? <ResultsPart scan={scan} /> : <p class="card muted">{say("detail.nomodel")}</p>}
      <PhotoStrip scan={scan} current={current} open={setOpened} />
      {scan.frames_done > 0 && (
        <details class="card fold">
          <summary>{say("detail.timing")}</summary>
          <TimingChart scan={scan} />
        </details>
      )}
      <Exports scan={scan} />
      <details class="card fold">
        <summary>{say("detail.log")}</summary>
        <LogLines scan_id={scan.scan_id} />
      </details>
      {opened !== null && (
        <FrameDialog scan={scan} index={opened} current={current} show={setOpened} close={() => setOpened(null)} />
      )}
    </>
  );
}

/** It waits, or has failed, and is not the chosen one already. */
function mayGoFirst(scan: ScanDetail): boolean {
  const way = state.value?.link;
  const isThere = scan.has_model || scan.state !== "sealed" || (scan.upload !== null && scan.upload.leg !== "uploading");
  return way !== null && way !== undefined && way.first !== scan.scan_id && (!isThere || scan.upload?.leg === "failed");
}

function DetailHead({ scan }: { scan: ScanDetail }) {
  const progress = progressOf(scan);
  const remove = async () => {
    if (await deleteScan(scan.scan_id)) go("#/scans");
  };
  return (
    <div class="headline">
      <a class="round" href="#/scans" aria-label={say("detail.back")}>
        <Icon name="back" />
      </a>
      <div class="titles">
        <h1>{scan.scan_id}</h1>
        <p class="muted">
          {scan.created_at && `${moment(scan.created_at)} · `}
          {sayCount("photos", scan.frames_done)}
        </p>
        <p class={`step ${progress.kind}`} role="status">
          {progress.text}
        </p>
        {progress.percent !== null && <Meter label={progress.text} percent={progress.percent} />}
      </div>
      <div class="row">
        {scan.state === "unfinished" && (
          <Action kind="main" icon="play" label={say("detail.resume")} run={() => resumeScan(scan.scan_id)} />
        )}
        {mayGoFirst(scan) && (
          <Action kind="plain" icon="next" label={say("detail.sendfirst")} run={() => sendFirst(scan.scan_id)} />
        )}
        <Action
          kind="danger"
          icon="trash"
          label={say("detail.delete")}
          disabled={scan.state === "running"}
          run={remove}
        />
      </div>
    </div>
  );
}
