import { Icon, type IconName } from "../parts/icon";
import { place, type Place } from "../state/place";
import { state } from "../state/scanner";
import { say, type Message } from "../words/messages";

const SCREENS: { screen: Place["screen"]; also?: Place["screen"]; icon: IconName; word: Message }[] = [
  { screen: "scan", icon: "scan", word: "nav.scan" },
  { screen: "scans", also: "detail", icon: "scans", word: "nav.scans" },
  { screen: "device", icon: "device", word: "nav.device" },
];

/** At the left of a tablet, at the lower edge of a phone, where the thumbs are. */
export function Navigation() {
  const here = place.value.screen;
  const isAsking = state.value?.mood === "asking" || state.value?.mood === "fault";
  return (
    <nav class="screens" aria-label={say("nav.label")}>
      {SCREENS.map(({ screen, also, icon, word }) => (
        <a key={screen} href={`#/${screen}`} aria-current={here === screen || here === also ? "page" : undefined}>
          <Icon name={icon} />
          <span>{say(word)}</span>
          {screen === "scan" && isAsking && <i class="dot" aria-hidden="true" />}
        </a>
      ))}
    </nav>
  );
}
