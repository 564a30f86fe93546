import { read } from "../api/client";
import type { DeviceHealth } from "../device/device_health";
import { useResource } from "../state/resource";
import { deviceChanged } from "../state/scanner";

/** Return the names of the cameras that the scanner has now, by number; none until they are known. */
export function useCameras(): readonly string[] {
  const device = useResource(() => read<DeviceHealth>("device"), [deviceChanged.value]);
  return device.kind === "there" ? device.value.cameras.map((camera) => camera.name) : [];
}
