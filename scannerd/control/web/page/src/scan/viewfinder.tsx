import { signal } from "@preact/signals";
import { useCameras } from "../device/cameras";
import { Switch } from "../parts/switch";
import { keep, kept } from "../state/memory";
import { say } from "../words/messages";
import { CameraChoice, seenCamera } from "./camera_choice";
import { FramingGuide } from "./framing_guide";
import { usePreview } from "./preview";

export const withEdges = signal(false);
const withGuide = signal(kept("guide") !== "off");

function turnGuide(on: boolean): void {
  withGuide.value = on;
  keep("guide", on ? "on" : "off");
}

/** What the camera sees, with the edges the gate looks at and a frame to place the object in. */
export function Viewfinder({ guided = true }: { guided?: boolean }) {
  const cameras = useCameras().map((camera) => camera.name);
  const preview = usePreview(withEdges.value, seenCamera(cameras));
  return (
    <section class="viewfinder" aria-label={say("preview.title")}>
      <div class="picture">
        {preview.url && <img src={preview.url} alt={say("preview.alt")} />}
        {guided && withGuide.value && preview.url && <FramingGuide />}
        {!preview.url && !preview.failure && <p class="over">{say("preview.waiting")}</p>}
        {preview.failure && (
          <p class="over bad" role="status">
            {say("preview.failed", { reason: preview.failure })}
          </p>
        )}
      </div>
      <div class="under">
        <CameraChoice cameras={cameras} />
        <Switch label={say("preview.edges")} icon="edges" on={withEdges.value} turn={(on) => (withEdges.value = on)} />
        {guided && <Switch label={say("preview.guide")} icon="frame" on={withGuide.value} turn={turnGuide} />}
        {guided && <p class="muted hint">{say("preview.hint")}</p>}
      </div>
    </section>
  );
}
