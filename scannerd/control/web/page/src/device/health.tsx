import { read } from "../api/client";
import { Icon } from "../parts/icon";
import { Facts } from "../parts/facts";
import { Wait } from "../parts/wait";
import { useResource } from "../state/resource";
import { deviceChanged, state } from "../state/scanner";
import { bytes, figure, span } from "../words/figures";
import { say, sayKnown } from "../words/messages";
import type { DeviceHealth } from "./device_health";

const BYTES_PER_MB = 1_000_000;

/** How the device is. */
export function Health() {
  const phase = state.value?.mood;
  const health = useResource(() => read<DeviceHealth>("device"), [deviceChanged.value, phase]);
  return (
    <section class="card">
      <h2>{say("device.health")}</h2>
      <Wait of={health}>
        {(now) => (
          <>
            <Troubles troubles={now.health.troubles} />
            <Facts facts={factsOf(now)} />
          </>
        )}
      </Wait>
    </section>
  );
}

function Troubles({ troubles }: { troubles: string[] }) {
  if (troubles.length === 0) {
    return (
      <p class="step ready with-icon">
        <Icon name="check" />
        {say("health.fine")}
      </p>
    );
  }
  return (
    <ul class="troubles">
      {troubles.map((trouble) => (
        <li key={trouble} class="step bad with-icon">
          <Icon name="warning" />
          {sayKnown("trouble", trouble)}
        </li>
      ))}
    </ul>
  );
}

function factsOf(now: DeviceHealth): [string, string | null][] {
  const { temperature_c, health } = now;
  return [
    [say("health.camera"), now.camera],
    [say("health.turntable"), now.turntable],
    [say("health.temperature"), temperature_c === null ? null : `${figure(temperature_c, 1)} °C`],
    [say("health.disk"), roomOf(now)],
    [say("health.memory"), bytes(health.memory_mb * BYTES_PER_MB)],
    [say("health.mqtt"), now.mqtt ?? say("health.off")],
    [say("health.offload"), now.offload ?? say("health.off")],
    [say("health.uptime"), span(now.uptime_s)],
    [say("health.addresses"), now.addresses.join(", ")],
  ];
}

function roomOf({ health, disk }: DeviceHealth): string | null {
  const free_mb = health.free_mb ?? disk?.free_mb;
  if (free_mb === undefined) return null;
  const free = bytes(free_mb * BYTES_PER_MB);
  if (health.scans_left === null) return free;
  return `${free}, ${say("health.room", { count: figure(Math.floor(health.scans_left)) })}`;
}
