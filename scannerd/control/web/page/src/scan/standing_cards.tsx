import { useState } from "preact/hooks";
import type { EndedScan } from "../api/wire";
import { Action } from "../parts/action";
import { Confirm } from "../parts/dialog";
import { Icon } from "../parts/icon";
import { cancelScan, resumeScan } from "../state/commands";
import { state } from "../state/scanner";
import { sayCount, sayKnown, say } from "../words/messages";
import { MorePhotos } from "./more_photos";

/** What is left from before: a fault, a scan to go on with, or one that is done. */
export function StandingCards() {
  const now = state.value;
  if (!now) return null;
  const unfinished = now.interrupted ?? now.unfinished.at(-1) ?? null;
  return (
    <>
      {now.fault && (
        <section class="card bad" role="alert">
          <h2>
            <Icon name="warning" />
            {now.fault_kind ? sayKnown("fault", now.fault_kind) : say("scan.fault")}
          </h2>
          {now.fault_kind && <p>{sayKnown("advice", now.fault_kind)}</p>}
          <p lang="en">{now.fault}</p>
        </section>
      )}
      {unfinished && <InterruptedCard scan_id={unfinished} last={now.last_scan} />}
      {!unfinished && !now.fault && now.last_scan && <EndedCard last={now.last_scan} />}
    </>
  );
}

function InterruptedCard({ scan_id, last }: { scan_id: string; last: EndedScan | null }) {
  const [isAsking, setAsking] = useState(false);
  const known = last?.scan_id === scan_id ? last : null;
  return (
    <section class="card wanting">
      <h2>{say("scan.interrupted")}</h2>
      <p>
        {known
          ? say("scan.interrupted.help", { id: scan_id, done: known.frames_done, planned: known.frames_planned })
          : say("scan.interrupted.short", { id: scan_id })}
      </p>
      <div class="row">
        <Action kind="main" icon="play" label={say("scan.interrupted.go")} run={() => resumeScan(scan_id)} />
        <MorePhotos scan_id={scan_id} />
        <Action kind="plain" label={say("scan.interrupted.drop")} run={() => setAsking(true)} />
      </div>
      {isAsking && (
        <Confirm
          title={say("scan.cancel.ask")}
          help={say("scan.cancel.help")}
          yes={say("scan.interrupted.drop")}
          no={say("dialog.no")}
          run={() => cancelScan(scan_id)}
          close={() => setAsking(false)}
        />
      )}
    </section>
  );
}

function EndedCard({ last }: { last: EndedScan }) {
  const isWhole = last.outcome === "completed";
  const frames = sayCount("photos", last.frames_done);
  return (
    <section class="card">
      {isWhole && (
        <h2>
          <Icon name="check" />
          {say("scan.done")}
        </h2>
      )}
      <p>
        {isWhole
          ? say("scan.done.help", { id: last.scan_id, frames })
          : say("scan.ended.cancelled", { id: last.scan_id })}
      </p>
      <a class="action plain" href={`#/scans/${last.scan_id}`}>
        <span>{say("scan.show")}</span>
        <Icon name="next" />
      </a>
    </section>
  );
}
