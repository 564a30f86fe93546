import type { ScanDetail } from "../api/wire";
import { Photo } from "../parts/photo";
import { cameraOf, labelOf } from "../scan/frame_words";
import { thumbnailOf } from "../scan/ring";
import { standingOf } from "../state/frames";
import { degrees } from "../words/figures";
import { say } from "../words/messages";

export interface PhotoStripProps {
  scan: ScanDetail;
  current: number | null;
  open: (index: number) => void;
}

/** Every photo that is there, in the order of the viewpoints. */
export function PhotoStrip({ scan, current, open }: PhotoStripProps) {
  const stored = scan.viewpoints.filter((viewpoint) => viewpoint.status === "stored");
  if (stored.length === 0) return null;
  return (
    <section class="card">
      <h2>{say("detail.photos")}</h2>
      <ul class="strip">
        {stored.map((viewpoint) => {
          const standing = standingOf(viewpoint, current);
          const camera = cameraOf(scan, viewpoint);
          return (
            <li key={viewpoint.index}>
              <button
                type="button"
                class={`strip-photo ${standing}`}
                aria-label={labelOf(scan, viewpoint, say(`verdict.${standing}`))}
                onClick={() => open(viewpoint.index)}
              >
                <Photo src={thumbnailOf(scan.scan_id, viewpoint)} alt="" failed="" />
                <span aria-hidden="true">
                  {degrees(viewpoint.angle_deg % 360)}°{camera !== null && ` ${camera}`}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
