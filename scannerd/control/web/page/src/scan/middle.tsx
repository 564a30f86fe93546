import { Switch } from "../parts/switch";
import { say } from "../words/messages";
import { usePreview } from "./preview";
import { withEdges } from "./viewfinder";

/** The newest photo of a camera in the middle of the ring. */
export function Middle({ diameter_percent, camera }: { diameter_percent: number; camera: number }) {
  const preview = usePreview(withEdges.value, camera);
  const size = `${diameter_percent}%`;
  return (
    <div class="middle" style={{ width: size, height: size }}>
      {preview.url ? <img src={preview.url} alt={say("preview.alt")} /> : <p>{preview.failure || say("preview.waiting")}</p>}
      <Switch label={say("preview.edges")} icon="edges" on={withEdges.value} turn={(on) => (withEdges.value = on)} />
    </div>
  );
}
