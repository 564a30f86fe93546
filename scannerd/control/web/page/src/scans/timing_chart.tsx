import { address } from "../api/client";
import type { ScanDetail } from "../api/wire";
import { Photo } from "../parts/photo";
import { look } from "../state/look";
import { say } from "../words/messages";

/** Where the time of a scan went, as the daemon draws it; opened by itself, each bar tells its numbers. */
export function TimingChart({ scan }: { scan: ScanDetail }) {
  const chart = address(`scans/${scan.scan_id}/timing.svg?look=${look.value}&photos=${scan.frames_done}`);
  return (
    <a class="timing" href={chart} target="_blank" rel="noopener">
      <Photo src={chart} alt={say("detail.timing.alt")} failed={say("detail.timing.none")} />
    </a>
  );
}
