import { effect, signal } from "@preact/signals";
import { keep, kept } from "./memory";

/** Bright or dark: as the device has it, until somebody chooses. */
export type Look = "light" | "dark";

const dark = matchMedia("(prefers-color-scheme: dark)");
const chosen = signal<string | null>(kept("look"));
const device = signal<Look>(dark.matches ? "dark" : "light");

dark.addEventListener("change", () => {
  device.value = dark.matches ? "dark" : "light";
});

export const look = signal<Look>("light");

effect(() => {
  look.value = chosen.value === "dark" || chosen.value === "light" ? chosen.value : device.value;
  document.documentElement.dataset.look = look.value;
});

export function switchLook(): void {
  chosen.value = look.value === "dark" ? "light" : "dark";
  keep("look", chosen.value);
}
