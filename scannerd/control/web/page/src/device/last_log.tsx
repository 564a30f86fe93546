import { Wait } from "../parts/wait";
import { LogLines } from "../scans/log_lines";
import { scanList } from "../scans/scan_list";
import { useResource } from "../state/resource";
import { scansChanged } from "../state/scanner";
import { say } from "../words/messages";

/** What happened in the newest scan. */
export function LastLog() {
  const newest = useResource(() => scanList(1, false), [scansChanged.value]);
  return (
    <section class="card">
      <details class="fold">
        <summary>{say("device.log")}</summary>
        <Wait of={newest}>
          {([scan]) =>
            scan ? (
              <>
                <h3>{say("log.of", { id: scan.scan_id })}</h3>
                <LogLines scan_id={scan.scan_id} />
              </>
            ) : (
              <p class="muted">{say("log.none")}</p>
            )
          }
        </Wait>
      </details>
    </section>
  );
}
