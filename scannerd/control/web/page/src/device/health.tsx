import { read } from "../api/client";
import { Facts } from "../parts/facts";
import { Wait } from "../parts/wait";
import { useResource } from "../state/resource";
import { deviceChanged, state } from "../state/scanner";
import { bytes, figure, span } from "../words/figures";
import { say } from "../words/messages";
import type { DeviceHealth } from "./device_health";

/** How the device is. */
export function Health() {
  const phase = state.value?.mood;
  const health = useResource(() => read<DeviceHealth>("device"), [deviceChanged.value, phase]);
  return (
    <section class="card">
      <h2>{say("device.health")}</h2>
      <Wait of={health}>{(now) => <Facts facts={factsOf(now)} />}</Wait>
    </section>
  );
}

function factsOf(health: DeviceHealth): [string, string | null][] {
  return [
    [say("health.camera"), told(health.camera)],
    [say("health.turntable"), told(health.turntable)],
    [say("health.temperature"), health.temperature_c === null ? null : `${figure(health.temperature_c, 1)} °C`],
    [say("health.power"), powerOf(health)],
    [say("health.disk"), diskOf()],
    [say("health.mqtt"), told(health.mqtt)],
    [say("health.offload"), told(health.offload)],
    [say("health.uptime"), span(health.uptime_s)],
    [say("health.addresses"), (health.addresses ?? []).join(", ")],
  ];
}

/** The daemon tells of a part in a word or in a few named ones. */
function told(part: unknown): string {
  if (part === null || part === undefined) return say("health.off");
  if (typeof part !== "object") return String(part);
  return Object.values(part).filter((value) => value !== null && value !== "").map(String).join(", ");
}

function powerOf(health: DeviceHealth): string {
  if (health.under_voltage === null) return say("health.unknown");
  return say(health.under_voltage ? "health.power.low" : "health.power.good");
}

function diskOf(): string | null {
  const disk = state.value?.disk;
  return disk ? bytes(disk.free_mb * 1_000_000) : null;
}
