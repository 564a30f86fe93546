import type { ComponentChildren } from "preact";
import type { Resource } from "../state/resource";
import { say } from "../words/messages";

/** Shows what was read, that it is being read, or why it could not be: one of the three always comes. */
export function Wait<T>({ of, children }: { of: Resource<T>; children: (value: T) => ComponentChildren }) {
  if (of.kind === "there") return <>{children(of.value)}</>;
  if (of.kind === "waiting") return <p class="muted waiting">{say("wait.loading")}</p>;
  return (
    <div class="failed" role="alert">
      <p>{of.reason}</p>
      <button type="button" class="action plain" onClick={of.again}>
        <span>{say("wait.retry")}</span>
      </button>
    </div>
  );
}
