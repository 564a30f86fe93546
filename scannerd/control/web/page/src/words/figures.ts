import { locale } from "./language";
import { say } from "./messages";

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

export function figure(value: number, digits = 0): string {
  return new Intl.NumberFormat(locale.value, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/** Angles are whole where they can be. */
export function degrees(angle_deg: number): string {
  return figure(angle_deg, Number.isInteger(Math.round(angle_deg * 10) / 10) ? 0 : 1);
}

/** `4:07`, `1:02:09`: for clocks that run. */
export function clock(duration_s: number): string {
  const whole_s = Math.max(0, Math.round(duration_s));
  const parts = [Math.floor((whole_s % HOUR_S) / MINUTE_S), whole_s % MINUTE_S];
  const hours = Math.floor(whole_s / HOUR_S);
  const shown = hours > 0 ? [hours, ...parts] : parts;
  return shown.map((part, place) => (place === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** `3 h 20 min`: for forecasts, which know no seconds. */
export function span(duration_s: number): string {
  if (duration_s >= DAY_S) {
    return say("time.days", { days: Math.floor(duration_s / DAY_S), hours: Math.floor((duration_s % DAY_S) / HOUR_S) });
  }
  if (duration_s >= HOUR_S) {
    const minutes = Math.floor((duration_s % HOUR_S) / MINUTE_S);
    return say("time.hours", { hours: Math.floor(duration_s / HOUR_S), minutes });
  }
  const minutes = Math.round(duration_s / MINUTE_S);
  return minutes < 1 ? say("time.under") : say("time.minutes", { minutes });
}

/** The same where it is a guess. */
export function about(duration_s: number): string {
  return duration_s < MINUTE_S / 2 ? span(duration_s) : say("time.about", { duration: span(duration_s) });
}

/** Sizes are decimal: 1 MB is 10⁶ bytes. */
export function bytes(size_bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = size_bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(size_bytes) / 3), units.length - 1);
  const value = size_bytes / 1000 ** power;
  return `${figure(value, power > 0 && value < 10 ? 1 : 0)} ${units[power]}`;
}

export function moment(at: string | Date): string {
  return new Intl.DateTimeFormat(locale.value, { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));
}

export function timeOfDay(at: string | Date): string {
  return new Intl.DateTimeFormat(locale.value, { timeStyle: "medium" }).format(new Date(at));
}
