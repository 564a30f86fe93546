import { useState } from "preact/hooks";
import { change } from "../api/client";
import { Failure } from "../api/failure";
import type { SettingsSection } from "../api/wire";
import { Action } from "../parts/action";
import { reasonOf, tell } from "../state/news";
import { deviceChanged } from "../state/scanner";
import { say, sayCount } from "../words/messages";
import { changesOf, otherProblems, problemsOf, type Draft } from "./draft";
import { SettingField } from "./setting_field";

/** One section of the settings: changed at will, saved at once, refused as a whole with a reason for each key. */
export function SettingsForm({ section }: { section: SettingsSection }) {
  const [draft, setDraft] = useState<Draft>({});
  const [problems, setProblems] = useState<readonly string[]>([]);
  const changes = changesOf(section, draft);
  const count = Object.keys(changes).length;

  const forget = () => {
    setDraft({});
    setProblems([]);
  };
  const save = async () => {
    try {
      await change("PUT", "settings", { [section.name]: changes });
    } catch (failure) {
      const said = failure instanceof Failure && failure.problems.length > 0;
      setProblems(said ? failure.problems : [reasonOf(failure)]);
      return;
    }
    forget();
    deviceChanged.value += 1;
    tell(say("settings.saved", { keys: Object.keys(changes).join(", ") }));
  };

  return (
    <form onSubmit={(event) => event.preventDefault()}>
      {section.keys.map((setting) => (
        <SettingField
          key={setting.name}
          section={section.name}
          setting={setting}
          draft={draft}
          problems={problemsOf(problems, setting.name)}
          put={(value) => setDraft({ ...draft, [setting.name]: value })}
        />
      ))}
      {otherProblems(problems, section).map((problem) => (
        <p key={problem} class="refusal" role="alert">
          {problem}
        </p>
      ))}
      <div class="row save">
        <Action kind="main" label={say("settings.save")} disabled={count === 0} run={save} />
        <Action kind="plain" free label={say("settings.discard")} disabled={count === 0} run={forget} />
        <span class="muted" role="status">
          {count > 0 ? sayCount("settings.changes", count) : ""}
        </span>
      </div>
    </form>
  );
}
