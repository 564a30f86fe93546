import { useState } from "preact/hooks";
import { address } from "../api/client";
import { Icon } from "../parts/icon";
import { look } from "../state/look";
import { figure } from "../words/figures";
import { say } from "../words/messages";
import { lengthUnit, type LengthUnit } from "./distance";
import { Measure } from "./measure";
import { useModelLoading, useViewerCode, type Loading } from "./model_loading";
import type { Viewer } from "./viewer";

/** The model, to be turned and measured. */
export function ModelView({ scan_id, unit }: { scan_id: string; unit: string }) {
  const code = useViewerCode();
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const model = useModelLoading(viewer);
  const loading = code.kind === "there" ? model : code;
  const length = lengthUnit(unit);
  return (
    <section class="model card" aria-label={say("detail.model")}>
      <div class="stage">
        {code.kind === "there" && (
          <model-viewer
            ref={setViewer}
            src={address(`scans/${scan_id}/results/model.glb`)}
            alt={say("model.alt", { id: scan_id })}
            camera-controls
            disable-tap
            touch-action="none"
            interaction-prompt="none"
            tone-mapping="neutral"
            environment-image="neutral"
            shadow-intensity="0.7"
            shadow-softness="0.9"
            exposure={look.value === "dark" ? "1.05" : "1.1"}
            min-camera-orbit="auto auto 40%"
          />
        )}
        <LoadingLine loading={loading} />
        {viewer && loading.kind === "there" && <Measure viewer={viewer} unit={length} />}
      </div>
      {viewer && loading.kind === "there" && <Size viewer={viewer} unit={length} />}
    </section>
  );
}

function LoadingLine({ loading }: { loading: Loading }) {
  if (loading.kind === "there") return null;
  const isBad = loading.kind === "failed";
  return (
    <p class={isBad ? "over bad" : "over"} role="status">
      {isBad
        ? say("model.failed", { reason: loading.reason })
        : say("model.loading", { percent: figure(loading.percent) })}
    </p>
  );
}

/** The box round the model, upright as it stood on the table. */
function Size({ viewer, unit }: { viewer: Viewer; unit: LengthUnit }) {
  const box = viewer.getDimensions();
  const shown = (length: number) => figure(length * unit.perModelUnit, 1);
  const size = say("model.size", {
    width: shown(box.x),
    depth: shown(box.z),
    height: shown(box.y),
    unit: unit.name,
  });
  const reset = () => {
    viewer.resetTurntableRotation(0);
    viewer.cameraOrbit = "auto auto auto";
    viewer.cameraTarget = "auto auto auto";
    viewer.fieldOfView = "auto";
    viewer.jumpCameraToGoal();
  };
  return (
    <footer class="size">
      <p>
        <b>{size}</b> <span class="muted">{say("model.size.label")}</span>
      </p>
      <button type="button" class="action quiet" onClick={reset}>
        <Icon name="undo" />
        <span>{say("model.reset")}</span>
      </button>
    </footer>
  );
}
