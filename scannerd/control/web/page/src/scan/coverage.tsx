import type { Coverage } from "../api/wire";
import { figure } from "../words/figures";
import { say } from "../words/messages";
import { MAP_SIZE, pieces, type Level } from "./coverage_map";

const LEVELS: Level[] = ["well", "some", "hardly"];

/** How much of the object its photos show so far, seen from above. */
export function CoveragePart({ coverage }: { coverage: Coverage }) {
  const shares = [coverage.covered_percent, coverage.weak_percent, coverage.unseen_percent];
  return (
    <section class="card coverage">
      <h2>{say("coverage.title")}</h2>
      <div class="coverage-picture">
        <CoverageMap coverage={coverage} />
        <ul>
          {LEVELS.map((level, place) => (
            <li key={level} class={level}>
              <i aria-hidden="true" />
              <span>{say(`coverage.${level}`)}</span>
              <b>{figure(shares[place]!)} %</b>
            </li>
          ))}
        </ul>
      </div>
      {coverage.underside_percent > 0 && (
        <p class="muted">{say("coverage.underside", { percent: figure(coverage.underside_percent) })}</p>
      )}
      {coverage.guessed_camera && <p class="muted">{say("coverage.guessed")}</p>}
    </section>
  );
}

function CoverageMap({ coverage }: { coverage: Coverage }) {
  const label = say("coverage.map", { percent: figure(coverage.covered_percent) });
  return (
    <svg class="coverage-map" viewBox={`0 0 ${MAP_SIZE} ${MAP_SIZE}`} role="img" aria-label={label}>
      {pieces(coverage.map).map(({ path, level }) => (
        <path key={path} class={level} d={path} />
      ))}
    </svg>
  );
}
