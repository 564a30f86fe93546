import { read } from "../api/client";
import type { Forecast } from "../api/wire";
import { Icon } from "../parts/icon";
import { useResource } from "../state/resource";
import { scansChanged } from "../state/scanner";
import { about, bytes } from "../words/figures";
import { say, sayCount } from "../words/messages";
import { asQuery, wishes } from "./options";

const BYTES_PER_MB = 1_000_000;

/** What the chosen scan will take, and whether it fits on the disk. */
export function ForecastLine() {
  const query = asQuery(wishes.value);
  const forecast = useResource(() => read<Forecast>(`forecast?${query}`), [query, scansChanged.value]);
  return (
    <section class="forecast" aria-label={say("scan.forecast")} aria-live="polite">
      {forecast.kind === "waiting" && <p class="muted">{say("wait.loading")}</p>}
      {forecast.kind === "failed" && <p class="muted">{say("scan.forecast.unknown", { reason: forecast.reason })}</p>}
      {forecast.kind === "there" && <ForecastFigures forecast={forecast.value} />}
    </section>
  );
}

function ForecastFigures({ forecast }: { forecast: Forecast }) {
  return (
    <>
      <Icon name={forecast.fits ? "check" : "warning"} />
      <div class={forecast.fits ? "" : "bad"}>
        <p>
          {say("scan.forecast.line", {
            photos: sayCount("photos", forecast.photos),
            duration: about(forecast.minutes * 60),
            size: bytes(forecast.megabytes * BYTES_PER_MB),
            free: bytes(forecast.free_megabytes * BYTES_PER_MB),
          })}
        </p>
        <p class="muted">
          {forecast.fits ? say("scan.forecast.fits") : say("scan.forecast.full", { reason: forecast.reason ?? "" })}
        </p>
      </div>
    </>
  );
}
