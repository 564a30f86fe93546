import { read } from "../api/client";
import { useResource } from "../state/resource";
import { deviceChanged } from "../state/scanner";
import type { CameraCard, DeviceHealth } from "./device_health";

/** Return the cameras that the scanner has now, by number; none until they are known. */
export function useCameras(): readonly CameraCard[] {
  const device = useResource(() => read<DeviceHealth>("device"), [deviceChanged.value]);
  return device.kind === "there" ? device.value.cameras : [];
}
