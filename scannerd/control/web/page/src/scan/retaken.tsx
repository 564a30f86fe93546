import type { ScanDetail } from "../api/wire";
import { Icon } from "../parts/icon";
import { say } from "../words/messages";
import { titleOf } from "./frame_words";

/** Which photos were taken again and why; a touch shows the photo. */
export function Retaken({ scan, open }: { scan: ScanDetail; open: (index: number) => void }) {
  const retaken = scan.viewpoints.filter((viewpoint) => viewpoint.attempts > 1 && viewpoint.reason);
  if (retaken.length === 0) return null;
  return (
    <section class="retaken-list">
      <h2>{say("scan.retaken")}</h2>
      <ul>
        {retaken.reverse().map((viewpoint) => (
          <li key={viewpoint.index}>
            <button type="button" onClick={() => open(viewpoint.index)}>
              <Icon name="again" />
              <span>
                <b>{titleOf(scan, viewpoint)}</b>
                <small lang="en">{viewpoint.reason}</small>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
