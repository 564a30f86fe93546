import { useEffect, useState } from "preact/hooks";
import { Action } from "../parts/action";
import { Facts } from "../parts/facts";
import { home, jog, setLight, stopAll } from "../state/commands";
import { mayControl, state } from "../state/scanner";
import { degrees, figure, timeOfDay } from "../words/figures";
import { say, sayKnown } from "../words/messages";

const TURNS_DEG = [-90, -10, -1, 1, 10, 90];

/** Turn the table and set the light by hand. */
export function ControlPart() {
  return (
    <section class="card control">
      <h2>{say("device.control")}</h2>
      <h3>{say("jog.title")}</h3>
      <div class="jog">
        {TURNS_DEG.map((delta_deg) => (
          <Jog key={delta_deg} delta_deg={delta_deg} />
        ))}
      </div>
      <p class="muted">{say("jog.help")}</p>
      <div class="row">
        <Action icon="home" label={say("jog.home")} run={home} />
        <Action kind="danger" icon="stop" label={say("jog.stop")} run={stopAll} />
      </div>
      <Whereabouts />
      {state.value?.light_level !== null && (
        <Light level={state.value?.light_level ?? 0} colour={state.value?.light_colour ?? null} />
      )}
    </section>
  );
}

/** What moves now, where no scan does; else how the table came to know its angle. */
function Whereabouts() {
  const now = state.value;
  if (!now) return null;
  const moves = now.phase !== "idle" && now.scan === null;
  const { homing } = now;
  return (
    <div class="whereabouts">
      <p role="status">{moves && <b>{sayKnown("phase", now.phase)} …</b>}</p>
      <Facts
        facts={[
          [say("homing.title"), homing === null ? say("homing.unknown") : say(`homing.by.${homing.found_by}`)],
          [say("homing.at"), homing === null ? "" : timeOfDay(homing.at)],
          [say("homing.off"), homing?.off_deg == null ? "" : say("homing.off.by", { angle: figure(homing.off_deg, 2) })],
        ]}
      />
    </div>
  );
}

function Jog({ delta_deg }: { delta_deg: number }) {
  const angle = (delta_deg > 0 ? "+" : "−") + degrees(Math.abs(delta_deg));
  const name = say("jog.by", { angle });
  return (
    <Action
      icon={delta_deg > 0 ? "turnLeft" : "turnRight"}
      label={`${angle}°`}
      name={name}
      run={() => jog(delta_deg, name)}
    />
  );
}

function Light({ level, colour }: { level: number; colour: string | null }) {
  const [shown, setShown] = useState(level);
  useEffect(() => setShown(level), [level]);
  const percent = figure(shown * 100);
  return (
    <div class="light">
      <h3 id="light-title">{say("light.title")}</h3>
      <input
        type="range"
        min="0"
        max="1"
        step="0.05"
        value={shown}
        disabled={!mayControl.value}
        aria-label={say("light.level")}
        aria-valuetext={say("light.value", { percent })}
        onInput={(event) => setShown(event.currentTarget.valueAsNumber)}
        onChange={(event) => void setLight(event.currentTarget.valueAsNumber)}
      />
      <output>{say("light.value", { percent })}</output>
      {colour !== null && (
        <label class="colour">
          <span>{say("light.colour")}</span>
          <input
            type="color"
            value={colour}
            disabled={!mayControl.value}
            onChange={(event) => void setLight(shown, event.currentTarget.value)}
          />
        </label>
      )}
      <div class="row">
        <Action label={say("light.off")} run={() => setLight(0)} />
        <Action label={say("light.half")} run={() => setLight(0.5)} />
        <Action label={say("light.full")} run={() => setLight(1)} />
      </div>
    </div>
  );
}
