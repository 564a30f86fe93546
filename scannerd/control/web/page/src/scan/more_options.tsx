import { Choice } from "../parts/choice";
import { figure } from "../words/figures";
import { say } from "../words/messages";
import { choose, chooseHeight, heights, MORE_CHOICES, MORE_OPTIONS, options } from "./options";

const LOWEST_DEG = -10;
const HIGHEST_DEG = 90;

/** What few scans need: closed until somebody wants it. */
export function MoreOptions() {
  return (
    <details class="more-options">
      <summary>{say("scan.more")}</summary>
      <Heights />
      {MORE_OPTIONS.map((name) => {
        const value = options.value[name];
        const usual: readonly number[] = MORE_CHOICES[name];
        const choices = usual.includes(value) ? usual : [...usual, value];
        return (
          <Choice
            key={name}
            label={say(`scan.option.${name}`)}
            help={say(`scan.option.help.${name}`)}
            value={value}
            choices={choices.map((one) => ({ value: one, label: figure(one) }))}
            choose={(chosen) => choose({ [name]: chosen })}
          />
        );
      })}
    </details>
  );
}

/** Where the camera stands, ring by ring; empty leaves it to the lift, or to whoever moves the camera. */
function Heights() {
  const rings = Array.from({ length: options.value.rings }, (_, ring) => ring);
  return (
    <fieldset class="heights">
      <legend>
        {say("scan.heights")}
        <small>{say("scan.heights.help")}</small>
      </legend>
      {rings.map((ring) => (
        <label key={ring}>
          <span>{say("scan.height", { ring: ring + 1 })}</span>
          <input
            type="number"
            inputMode="numeric"
            min={LOWEST_DEG}
            max={HIGHEST_DEG}
            value={heights.value[ring] ?? ""}
            onChange={(event) => {
              const typed = event.currentTarget.valueAsNumber;
              chooseHeight(ring, Number.isFinite(typed) ? Math.min(Math.max(typed, LOWEST_DEG), HIGHEST_DEG) : null);
            }}
          />
        </label>
      ))}
    </fieldset>
  );
}
