import { read } from "../api/client";
import type { LogLine } from "../api/wire";
import { Wait } from "../parts/wait";
import { useResource } from "../state/resource";
import { scansChanged } from "../state/scanner";
import { timeOfDay } from "../words/figures";

/** What happened in a scan, as its journal tells it. */
export function LogLines({ scan_id }: { scan_id: string }) {
  const log = useResource(() => read<{ lines: LogLine[] }>(`scans/${scan_id}/log`), [scan_id, scansChanged.value]);
  return (
    <Wait of={log}>
      {({ lines }) => (
        <ol class="log" lang="en" tabIndex={0}>
          {lines.map((line, place) => (
            <li key={place} class={line.level.toLowerCase()}>
              <time dateTime={line.at}>{timeOfDay(line.at)}</time> {line.text}
            </li>
          ))}
        </ol>
      )}
    </Wait>
  );
}
