import { state } from "../state/scanner";
import { wayLines } from "./way";

/** How scans get to the service: how fast, how long, or why they wait. */
export function WayPart() {
  const way = state.value?.link;
  const lines = way ? wayLines(way) : [];
  if (lines.length === 0) return null;
  return (
    <div class="card" role="status">
      {lines.map((line) => (
        <p key={line.text} class={`step ${line.kind}`}>
          {line.text}
          {line.details && <small class="muted"> {line.details}</small>}
        </p>
      ))}
    </div>
  );
}
