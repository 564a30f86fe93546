import { Choice } from "../parts/choice";
import { state } from "../state/scanner";
import { figure } from "../words/figures";
import { say } from "../words/messages";
import {
  choose,
  chooseHeight,
  chooseLight,
  heights,
  MORE_CHOICES,
  MORE_OPTIONS,
  options,
  RAW_PHOTOS,
  scanLight,
} from "./options";

const LOWEST_DEG = -10;
const HIGHEST_DEG = 90;

/** What few scans need: closed until somebody wants it. */
export function MoreOptions() {
  return (
    <details class="more-options">
      <summary>{say("scan.more")}</summary>
      <Heights />
      <LightOfScan />
      {state.value?.has_raw && (
        <Choice
          label={say("scan.raw")}
          help={say("scan.raw.help")}
          value={options.value.raw}
          choices={RAW_PHOTOS.map((value) => ({ value, label: say(`scan.raw.${value}`) }))}
          choose={(raw) => choose({ raw })}
        />
      )}
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

/** Its level, and its colour where it has some; every photo of the scan is taken in it. */
function LightOfScan() {
  const level = state.value?.light_level ?? null;
  const colour = state.value?.light_colour ?? null;
  if (level === null) return null;
  const shown = scanLight.value.light_level ?? level;
  return (
    <fieldset class="heights">
      <legend>
        {say("scan.light")}
        <small>{say("scan.light.help")}</small>
      </legend>
      <label>
        <span>{say("light.value", { percent: figure(shown * 100) })}</span>
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={shown}
          aria-label={say("light.level")}
          onChange={(event) => chooseLight({ light_level: event.currentTarget.valueAsNumber })}
        />
      </label>
      {colour !== null && (
        <label>
          <span>{say("light.colour")}</span>
          <input
            type="color"
            value={scanLight.value.light_colour ?? colour}
            onChange={(event) => chooseLight({ light_colour: event.currentTarget.value })}
          />
        </label>
      )}
    </fieldset>
  );
}
