import { useState } from "preact/hooks";
import type { ScanDetail, Viewpoint } from "../api/wire";
import { Action } from "../parts/action";
import { Dialog } from "../parts/dialog";
import { Facts } from "../parts/facts";
import { Icon, type IconName } from "../parts/icon";
import { Switch } from "../parts/switch";
import { retakeFrame } from "../state/commands";
import { standingOf } from "../state/frames";
import { degrees, figure } from "../words/figures";
import { say } from "../words/messages";
import { cameraOf, titleOf } from "./frame_words";
import { FramePhoto, type Layer } from "./frame_photo";

const LAYERS: [Layer, IconName][] = [
  ["mask", "cube"],
  ["edges", "edges"],
];

export interface FrameDialogProps {
  scan: ScanDetail;
  index: number;
  current: number | null;
  show: (index: number) => void;
  close: () => void;
}

/** One photo, large: what the gate thought of it, and taking it again. */
export function FrameDialog({ scan, index, current, show, close }: FrameDialogProps) {
  const [layer, setLayer] = useState<Layer | null>(null);
  const viewpoint = scan.viewpoints[index];
  if (!viewpoint) return null;
  const count = scan.viewpoints.length;
  return (
    <Dialog wide title={titleOf(scan, viewpoint)} close={close}>
      <div class="frame-view">
        <div class="frame-photo">
          <FramePhoto scan_id={scan.scan_id} viewpoint={viewpoint} layer={layer} />
          <Turn side="previous" run={() => show((index + count - 1) % count)} />
          <Turn side="next" run={() => show((index + 1) % count)} />
        </div>
        <div class="frame-facts">
          <p class={`verdict ${standingOf(viewpoint, current)}`}>
            <i aria-hidden="true" />
            {say(`verdict.${standingOf(viewpoint, current)}`)}
          </p>
          <Facts facts={factsOf(scan, viewpoint)} />
          {viewpoint.status === "stored" && <Layers layer={layer} choose={setLayer} />}
          {scan.state === "running" || scan.state === "unfinished" ? (
            <Action
              kind="main"
              large
              icon="again"
              label={say("frame.retake")}
              disabled={viewpoint.status !== "stored" || viewpoint.retake_wanted}
              run={async () => {
                await retakeFrame(scan.scan_id, index);
                // What became of it is told beneath.
                close();
              }}
            />
          ) : (
            <p class="muted">{say("frame.retake.over")}</p>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function Layers({ layer, choose }: { layer: Layer | null; choose: (layer: Layer | null) => void }) {
  return (
    <div class="layers">
      {LAYERS.map(([name, icon]) => (
        <Switch
          key={name}
          label={say(`frame.layer.${name}`)}
          icon={icon}
          on={layer === name}
          turn={(on) => choose(on ? name : null)}
        />
      ))}
    </div>
  );
}

function Turn({ side, run }: { side: "previous" | "next"; run: () => void }) {
  return (
    <button type="button" class={`turn ${side}`} aria-label={say(`frame.${side}`)} onClick={run}>
      <Icon name={side === "next" ? "next" : "back"} />
    </button>
  );
}

function factsOf(scan: ScanDetail, viewpoint: Viewpoint): [string, string | null][] {
  return [
    [say("frame.reason"), viewpoint.reason],
    [say("frame.sharpness"), viewpoint.sharpness ? `${figure(1 / viewpoint.sharpness, 1)} px` : null],
    [say("frame.attempts"), viewpoint.attempts ? figure(viewpoint.attempts) : null],
    [say("frame.angle"), `${degrees(viewpoint.angle_deg % 360)}°`],
    [say("health.camera"), cameraOf(scan, viewpoint)],
    [say("frame.side"), scan.sides > 1 ? `${viewpoint.side + 1} / ${scan.sides}` : null],
    [say("frame.height"), viewpoint.elevation_deg === null ? null : `${figure(viewpoint.elevation_deg)}°`],
    [say("frame.exposure"), viewpoint.exposure_ev ? `${figure(viewpoint.exposure_ev, 1)} EV` : null],
    [say("frame.focus"), viewpoint.focus_offset_dioptres ? `${figure(viewpoint.focus_offset_dioptres, 2)} dpt` : null],
    [say("frame.ring"), scan.rings > 1 ? `${viewpoint.ring + 1} / ${scan.rings}` : null],
  ];
}
