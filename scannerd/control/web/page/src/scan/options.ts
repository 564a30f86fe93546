import { signal } from "@preact/signals";
import { read } from "../api/client";
import type { Quality, ScanOptions, SettingsSection } from "../api/wire";

/** What the next scan shall be like; null until somebody or the settings have said. */
export const options = signal<ScanOptions>({ rings: 1, views: 36, quality: "standard" });
let isChosen = false;

export const VIEW_STEPS = [6, 8, 12, 16, 18, 24, 30, 36, 40, 45, 48, 60, 72, 90, 120, 180, 240, 360, 720];
export const RING_CHOICES = [1, 2, 3, 4];
export const QUALITIES: Quality[] = ["draft", "standard", "fine"];

export function choose(change: Partial<ScanOptions>): void {
  isChosen = true;
  options.value = { ...options.value, ...change };
}

/** Begin with what the settings say, unless somebody chose already. Raises Failure. */
export async function readUsualOptions(): Promise<void> {
  const { sections } = await read<{ sections: SettingsSection[] }>("settings");
  if (isChosen) return;
  const scan = sections.find((section) => section.name === "scan")?.keys ?? [];
  const valueOf = (name: string) => scan.find((key) => key.name === name)?.value;
  const [views, rings] = [valueOf("views"), valueOf("rings")];
  options.value = {
    ...options.value,
    ...(typeof views === "number" ? { views } : {}),
    ...(typeof rings === "number" ? { rings } : {}),
  };
}
