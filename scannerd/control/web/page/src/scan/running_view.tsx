import { useState } from "preact/hooks";
import type { RunningScan, ScanDetail } from "../api/wire";
import { runningScan } from "../state/scanner";
import { say } from "../words/messages";
import { CameraChoice, seenCamera } from "./camera_choice";
import { FrameDialog } from "./frame_dialog";
import { Legend } from "./legend";
import { Middle } from "./middle";
import { ProgressPanel } from "./progress_panel";
import { ProposalQuestion } from "./proposal";
import { Question } from "./question";
import { Ring, thumbnailOf } from "./ring";
import { ringLayout, SIZE } from "./ring_layout";

/** While a scan runs: the ring that fills, and how far it is. */
export function RunningView({ scan }: { scan: RunningScan }) {
  const [opened, setOpened] = useState<number | null>(null);
  const detail = runningScan.value;
  return (
    <div class="scan-view running">
      <section class="ring-place" aria-label={say("scan.progress")}>
        <Asked scan={scan} />
        {detail ? (
          <>
            <div class="ring-square">
              <Ring scan={detail} current={scan.index} seen={seenCamera(detail.cameras)} open={setOpened} />
              <Middle
                diameter_percent={(200 * ringLayout(detail.viewpoints).inside) / SIZE}
                camera={seenCamera(detail.cameras)}
              />
            </div>
            <CameraChoice cameras={detail.cameras} pictures={newestPhotos(detail)} />
            <Legend scan={detail} current={scan.index} />
          </>
        ) : (
          <p class="muted waiting">{say("wait.loading")}</p>
        )}
      </section>
      <ProgressPanel scan={scan} detail={detail} open={setOpened} />
      {detail && opened !== null && (
        <FrameDialog
          scan={detail}
          index={opened}
          current={scan.index}
          show={setOpened}
          close={() => setOpened(null)}
        />
      )}
    </div>
  );
}

/** The photo of the furthest viewpoint that each camera has one of. */
function newestPhotos(scan: ScanDetail): (string | null)[] {
  return scan.cameras.map((_, number) => {
    const newest = scan.viewpoints.filter((one) => one.camera === number && one.status === "stored").at(-1);
    return newest ? thumbnailOf(scan.scan_id, newest) : null;
  });
}

function Asked({ scan }: { scan: RunningScan }) {
  if (!scan.question) return null;
  const proposal = scan.coverage?.proposal;
  if (proposal && proposal.says === scan.question) return <ProposalQuestion scan={scan} proposal={proposal} />;
  return <Question scan={scan} />;
}
