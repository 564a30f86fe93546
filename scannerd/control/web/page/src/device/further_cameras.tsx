import { Facts } from "../parts/facts";
import { degrees } from "../words/figures";
import { say } from "../words/messages";
import { useCameras } from "./cameras";
import type { CameraCard } from "./device_health";

/** What `[[cameras]]` of config.toml says, to be read only; nothing where there is one camera. */
export function FurtherCameras() {
  const [, ...further] = useCameras();
  if (further.length === 0) return null;
  return (
    <details class="fold" name="settings">
      <summary>
        <span>{say("settings.cameras")}</span>
        <small>{say("settings.cameras.help")}</small>
      </summary>
      <p>{say("settings.cameras.file")}</p>
      <Facts facts={further.map((camera) => [camera.name, wordsOf(camera)])} />
    </details>
  );
}

function wordsOf({ driver, width_px, height_px, elevation_deg }: CameraCard): string {
  const height = elevation_deg === null ? say("settings.cameras.unmeasured") : `${degrees(elevation_deg)}°`;
  return `${driver} · ${width_px}×${height_px} px · ${say("frame.height")}: ${height}`;
}
