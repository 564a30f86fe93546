import { useId } from "preact/hooks";
import type { Setting, SettingValue } from "../api/wire";
import { mayControl } from "../state/scanner";
import { language } from "../words/language";
import { say } from "../words/messages";
import { helpOf } from "../words/settings_help";
import { isChanged, isSame, numbersIn, type Draft } from "./draft";

export interface SettingFieldProps {
  section: string;
  setting: Setting;
  draft: Draft;
  problems: string[];
  put: (value: SettingValue) => void;
}

/** One key: what it is for, its bounds and unit, its value, and when a change takes effect. */
export function SettingField({ section, setting, draft, problems, put }: SettingFieldProps) {
  const id = useId();
  const value = setting.name in draft ? (draft[setting.name] ?? null) : setting.value;
  const help = helpOf(setting.id, setting.help);
  const isUsual = isSame(value, setting.default);
  return (
    <div class={isChanged(setting, draft) ? "setting changed" : "setting"}>
      <label for={id}>
        <code>{setting.name}</code>
        <span lang={help.lang}>{help.text}</span>
      </label>
      <div class="value">
        <Input id={id} setting={setting} value={value} wrong={problems.length > 0} put={put} />
        {setting.unit && <span class="unit">{setting.unit}</span>}
      </div>
      <p class="muted" id={`${id}-notes`}>
        {[boundsOf(setting), say(`settings.applies.${setting.applies}`)].filter(Boolean).join(" · ")}
        {!isUsual && (
          <button
            type="button"
            class="link"
            disabled={!mayControl.value}
            aria-label={`${say("settings.reset")}: ${section}.${setting.name}`}
            onClick={() => put(setting.default)}
          >
            {say("settings.default", { value: shown(setting.default) })}
          </button>
        )}
      </p>
      {problems.map((problem) => (
        <p key={problem} class="refusal" role="alert" lang="en">
          {problem}
        </p>
      ))}
    </div>
  );
}

interface InputProps {
  id: string;
  setting: Setting;
  value: SettingValue;
  wrong: boolean;
  put: (value: SettingValue) => void;
}

function Input({ id, setting, value, wrong, put }: InputProps) {
  const common = { id, disabled: !mayControl.value, "aria-describedby": `${id}-notes`, "aria-invalid": wrong };
  switch (setting.kind) {
    case "boolean":
      return (
        <input {...common} type="checkbox" checked={value === true} onChange={(event) => put(event.currentTarget.checked)} />
      );
    case "choice":
      return (
        <select
          {...common}
          onChange={(event) => put(setting.choices[event.currentTarget.selectedIndex] ?? setting.value)}
        >
          {setting.choices.map((choice) => (
            <option key={choice} selected={choice === value}>
              {shown(choice)}
            </option>
          ))}
        </select>
      );
    case "integer":
    case "number":
      return (
        <input
          {...common}
          type="number"
          lang={language.value}
          inputMode={setting.kind === "integer" ? "numeric" : "decimal"}
          min={setting.minimum ?? undefined}
          max={setting.maximum ?? undefined}
          step={setting.multiple ?? (setting.kind === "integer" ? 1 : "any")}
          value={String(value ?? "")}
          onInput={(event) => {
            if (Number.isFinite(event.currentTarget.valueAsNumber)) put(event.currentTarget.valueAsNumber);
          }}
        />
      );
    case "integers":
    case "numbers":
      return (
        <input
          {...common}
          type="text"
          inputMode="decimal"
          spellcheck={false}
          value={Array.isArray(value) ? value.join(", ") : ""}
          onChange={(event) => {
            const numbers = numbersIn(event.currentTarget.value);
            if (numbers === null) event.currentTarget.value = Array.isArray(value) ? value.join(", ") : "";
            else put(numbers);
          }}
        />
      );
    case "text":
    case "path":
      return (
        <input
          {...common}
          type="text"
          spellcheck={false}
          maxLength={setting.max_length ?? undefined}
          value={String(value ?? "")}
          onInput={(event) => put(event.currentTarget.value)}
        />
      );
  }
}

function boundsOf({ minimum, maximum, unit }: Setting): string {
  if (minimum === null || maximum === null) return "";
  return say("settings.bounds", { minimum: shown(minimum), maximum: shown(maximum), unit }).trim();
}

/** As one would type it: settings are written in the file's own way, so no thousands are set apart. */
function shown(value: SettingValue): string {
  if (typeof value === "boolean") return say(value ? "settings.on" : "settings.off");
  if (Array.isArray(value)) return value.length > 0 ? value.map((one) => shown(one)).join("; ") : say("settings.empty");
  if (value === null || value === "") return say("settings.empty");
  if (typeof value === "number") {
    return new Intl.NumberFormat(language.value, { useGrouping: false, maximumFractionDigits: 6 }).format(value);
  }
  return value;
}
