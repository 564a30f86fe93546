import type { WayState } from "../api/wire";
import { about, bytes, span, timeOfDay } from "../words/figures";
import { say, sayCount } from "../words/messages";

/** Nobody notices less. */
const CLOCK_TOLERATED_S = 60;

export interface WayLine {
  kind: "moving" | "resting" | "bad";
  text: string;
  /** What the upload itself says, for whoever mends it. */
  details: string | null;
}

/** How scans get to the service, in lines for people; nothing where there is nothing to tell. */
export function wayLines(way: WayState): WayLine[] {
  return [...mainLine(way), ...clockLine(way)];
}

function mainLine(way: WayState): WayLine[] {
  const isWanted = way.waits?.hitch === "quiet_hours" || way.waits?.hitch === "metered";
  const isBusy = way.carried + way.waiting + way.in_work > 0;
  if (way.waits && (isBusy || !isWanted)) {
    const until = way.waits.until ? ` ${say("way.until", { time: hourOf(way.waits.until) })}` : "";
    const text = `${say(`way.hitch.${way.waits.hitch}`)}${until}${more(way)}`;
    return [{ kind: isWanted ? "resting" : "bad", text, details: isWanted ? null : way.waits.says }];
  }
  if (way.carried === 0 || way.remaining_s === null) return [];
  const fillings = { left: bytes(way.bytes_left), rate: bytes(way.rate_bytes_s), duration: about(way.remaining_s) };
  return [{ kind: "moving", text: `${say("way.moving", fillings)}${more(way)}`, details: null }];
}

function more(way: WayState): string {
  return way.waiting > 0 ? ` · ${sayCount("way.more", way.waiting)}` : "";
}

function clockLine(way: WayState): WayLine[] {
  const off_s = Math.abs(way.clock_off_s ?? 0);
  return off_s > CLOCK_TOLERATED_S ? [{ kind: "bad", text: say("way.clock", { duration: span(off_s) }), details: null }] : [];
}

/** The shop's own time, as the device has it: `06:00` of `2026-01-01T06:00:00+01:00`. */
function hourOf(until: string): string {
  return /T(\d\d:\d\d)/.exec(until)?.[1] ?? timeOfDay(until);
}
