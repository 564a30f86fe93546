import type { ScanDetail } from "../api/wire";
import { standingOf, type Standing } from "../state/frames";
import { figure } from "../words/figures";
import { say } from "../words/messages";

const ORDER: Standing[] = ["accept", "retaken", "retake", "ask", "current", "planned"];

/** What the colours mean, and how many there are of each. */
export function Legend({ scan, current }: { scan: ScanDetail; current: number | null }) {
  const counts = new Map<Standing, number>();
  for (const viewpoint of scan.viewpoints) {
    const standing = standingOf(viewpoint, current);
    counts.set(standing, (counts.get(standing) ?? 0) + 1);
  }
  return (
    <ul class="legend" aria-label={say("scan.legend")}>
      {ORDER.filter((standing) => counts.has(standing)).map((standing) => (
        <li key={standing} class={standing}>
          <i aria-hidden="true" />
          {say(`verdict.${standing}`)} <b>{figure(counts.get(standing)!)}</b>
        </li>
      ))}
    </ul>
  );
}
