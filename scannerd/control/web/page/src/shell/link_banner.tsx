import { Icon } from "../parts/icon";
import { access } from "../state/access";
import { link, retryLink } from "../state/scanner";
import { timeOfDay } from "../words/figures";
import { say } from "../words/messages";

/** Says since when the page does not know what the scanner does. */
export function LinkBanner() {
  const now = link.value;
  if (now.kind !== "lost" || access.value === "none") return null;
  return (
    <div class="banner bad" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{say("link.lost", { time: timeOfDay(now.since) })}</strong>
        <p>{say("link.lost.help")}</p>
      </div>
      <button type="button" class="action plain" onClick={retryLink}>
        <span>{say("link.retry")}</span>
      </button>
    </div>
  );
}
