import type { RunningScan } from "../api/wire";
import { Action } from "../parts/action";
import { Icon } from "../parts/icon";
import { cancelScan, resumeScan } from "../state/commands";
import { say, sayKnown } from "../words/messages";

/** Nothing goes on before somebody has answered, so this is large and on top. */
export function Question({ scan }: { scan: RunningScan }) {
  return (
    <section class="question" role="alert">
      <h2>
        <Icon name="question" />
        {scan.fault_kind ? sayKnown("fault", scan.fault_kind) : say("question.title")}
      </h2>
      {scan.fault_kind && <p>{sayKnown("advice", scan.fault_kind)}</p>}
      <p lang="en">{scan.question}</p>
      <div class="row answers">
        <Action kind="main" large icon="play" label={say("question.resume")} run={() => resumeScan(scan.scan_id)} />
        <Action kind="plain" large icon="stop" label={say("question.cancel")} run={() => cancelScan(scan.scan_id)} />
      </div>
    </section>
  );
}
