import { Icon } from "../parts/icon";
import { look, switchLook } from "../state/look";
import { link, state } from "../state/scanner";
import { switchLanguage } from "../words/language";
import { say } from "../words/messages";

export function Header() {
  return (
    <header class="top">
      <a class="brand" href="#/scan" aria-label={state.value?.device ?? say("app.name")}>
        <img src="./icon.svg" alt="" width="36" height="36" />
        <span>{state.value?.device ?? say("app.name")}</span>
      </a>
      <MoodSign />
      <div class="tools">
        <LinkSign />
        <button type="button" class="tool" lang={say("language.other").slice(0, 2).toLowerCase()} aria-label={say("language.switch")} onClick={switchLanguage}>
          {say("language.other")}
        </button>
        <button
          type="button"
          class="tool round"
          aria-label={look.value === "dark" ? say("look.light") : say("look.dark")}
          onClick={switchLook}
        >
          <Icon name={look.value === "dark" ? "sun" : "moon"} />
        </button>
      </div>
    </header>
  );
}

/** What the scanner does, in a word and a colour; a screen reader hears it change. */
function MoodSign() {
  const mood = state.value?.mood;
  const isOld = link.value.kind !== "connected";
  return (
    <p class={`mood ${mood ?? "none"} ${isOld ? "old" : ""}`} role="status">
      {mood && (
        <>
          <i aria-hidden="true" />
          {say(`mood.${mood}`)}
        </>
      )}
    </p>
  );
}

function LinkSign() {
  const kind = link.value.kind;
  const text = kind === "connected" ? say("link.connected") : kind === "connecting" ? say("link.connecting") : "";
  if (kind === "lost") return null;
  return (
    <span class={`link-sign ${kind}`} title={text}>
      <Icon name="link" />
      <span class="unseen">{text}</span>
    </span>
  );
}
