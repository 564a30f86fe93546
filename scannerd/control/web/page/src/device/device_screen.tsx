import { say } from "../words/messages";
import { About } from "./about";
import { ControlPart } from "./control_part";
import { Guides } from "./guides";
import { Health } from "./health";
import { LastLog } from "./last_log";
import { PairedDevices } from "./paired_devices";
import { SettingsPart } from "./settings_part";

/** The scanner itself. */
export function DeviceScreen() {
  return (
    <div class="device-view">
      <h1>{say("device.title")}</h1>
      <div class="columns">
        <div class="column">
          <ControlPart />
          <Health />
          <Guides />
        </div>
        <div class="column">
          <SettingsPart />
          <LastLog />
          <PairedDevices />
          <About />
        </div>
      </div>
    </div>
  );
}
