import { useEffect } from "preact/hooks";
import { Choice } from "../parts/choice";
import { Stepper } from "../parts/stepper";
import { deviceChanged } from "../state/scanner";
import { reasonOf, tell } from "../state/news";
import { figure } from "../words/figures";
import { say } from "../words/messages";
import { MoreOptions } from "./more_options";
import { choose, options, QUALITIES, readUsualOptions, RING_CHOICES, VIEW_STEPS } from "./options";

/** How the next scan shall be. */
export function OptionsPanel() {
  const { rings, views, quality } = options.value;
  useEffect(() => {
    readUsualOptions().catch((failure: unknown) => tell(reasonOf(failure), true));
  }, [deviceChanged.value]);
  const ringChoices = RING_CHOICES.includes(rings) ? RING_CHOICES : [...RING_CHOICES, rings];
  return (
    <div class="options">
      <Stepper
        label={say("scan.views")}
        fewer={say("scan.views.fewer")}
        more={say("scan.views.more")}
        value={views}
        steps={VIEW_STEPS}
        choose={(chosen) => choose({ views: chosen })}
      />
      <Choice
        label={say("scan.rings")}
        help={say("scan.rings.help")}
        value={rings}
        choices={ringChoices.map((value) => ({ value, label: figure(value) }))}
        choose={(chosen) => choose({ rings: chosen })}
      />
      <Choice
        label={say("scan.quality")}
        value={quality}
        choices={QUALITIES.map((value) => ({ value, label: say(`scan.quality.${value}`) }))}
        choose={(chosen) => choose({ quality: chosen })}
      />
      <MoreOptions />
    </div>
  );
}
