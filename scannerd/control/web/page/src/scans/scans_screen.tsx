import { useState } from "preact/hooks";
import { Icon } from "../parts/icon";
import { Wait } from "../parts/wait";
import { useResource } from "../state/resource";
import { scansChanged } from "../state/scanner";
import { say } from "../words/messages";
import { PAGE_LENGTH, scanList } from "./scan_list";
import { ScanCard } from "./scan_card";
import { WayPart } from "./way_part";

/** All scans, the newest first. */
export function ScansScreen() {
  const [deleted, setDeleted] = useState(false);
  const [limit, setLimit] = useState(PAGE_LENGTH);
  const scans = useResource(() => scanList(limit, deleted), [limit, deleted, scansChanged.value]);
  return (
    <div class="scans-view">
      <div class="headline">
        <h1>{deleted ? say("scans.deleted") : say("scans.title")}</h1>
        <button type="button" class="action quiet" onClick={() => setDeleted(!deleted)}>
          <Icon name={deleted ? "back" : "trash"} />
          <span>{deleted ? say("scans.deleted.back") : say("scans.deleted")}</span>
        </button>
      </div>
      {!deleted && <WayPart />}
      <Wait of={scans}>
        {(list) => (
          <>
            {list.length === 0 && <p class="muted empty">{deleted ? say("scans.deleted.none") : say("scans.none")}</p>}
            <ul class="gallery">
              {list.map((scan) => (
                <ScanCard key={scan.scan_id} scan={scan} deleted={deleted} />
              ))}
            </ul>
            {list.length === limit && (
              <button type="button" class="action plain more" onClick={() => setLimit(limit + PAGE_LENGTH)}>
                <span>{say("scans.more")}</span>
              </button>
            )}
          </>
        )}
      </Wait>
    </div>
  );
}
