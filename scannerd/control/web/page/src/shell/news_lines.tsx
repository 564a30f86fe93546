import { Icon } from "../parts/icon";
import { dismiss, news } from "../state/news";
import { say } from "../words/messages";

/** What became of things, at the lower edge. Good news go by themselves, bad ones wait to be read. */
export function NewsLines() {
  return (
    <section class="news" aria-label={say("toast.label")} aria-live="polite">
      {news.value.map((line) => (
        <div key={line.id} class={line.bad ? "line bad" : "line"} role={line.bad ? "alert" : undefined}>
          <Icon name={line.bad ? "warning" : "check"} />
          <span>{line.text}</span>
          {line.action && (
            <button
              type="button"
              class="action plain"
              onClick={() => {
                dismiss(line.id);
                line.action?.run();
              }}
            >
              <Icon name="undo" />
              <span>{line.action.label}</span>
            </button>
          )}
          <button type="button" class="round" aria-label={say("toast.close")} onClick={() => dismiss(line.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </section>
  );
}
