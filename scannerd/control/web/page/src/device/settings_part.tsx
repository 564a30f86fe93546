import { read } from "../api/client";
import type { SettingsSection } from "../api/wire";
import { Wait } from "../parts/wait";
import { useResource } from "../state/resource";
import { deviceChanged } from "../state/scanner";
import { say, sayKnown } from "../words/messages";
import { helpOf } from "../words/settings_help";
import { FurtherCameras } from "./further_cameras";
import { SettingsForm } from "./settings_form";

/** `config.toml` as a form, made from what the daemon says of its keys. */
export function SettingsPart() {
  const settings = useResource(() => read<{ sections: SettingsSection[] }>("settings"), [deviceChanged.value]);
  return (
    <section class="card settings">
      <h2>{say("device.settings")}</h2>
      <Wait of={settings}>
        {({ sections }) => (
          <>
            {sections.map((section) => (
              <details key={section.name} class="fold" name="settings">
                <summary>
                  <span>{sayKnown("section", section.name)}</span>
                  <small lang={helpOf(section.name, section.help).lang}>{helpOf(section.name, section.help).text}</small>
                </summary>
                <SettingsForm section={section} />
              </details>
            ))}
            <FurtherCameras />
          </>
        )}
      </Wait>
    </section>
  );
}
