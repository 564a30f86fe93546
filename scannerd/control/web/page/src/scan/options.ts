import { computed, signal } from "@preact/signals";
import { read } from "../api/client";
import type { Quality, RawPhotos, ScanOptions, ScanWishes, SettingsSection, SettingValue } from "../api/wire";

const usual = signal<ScanOptions>({
  rings: 1,
  views: 36,
  quality: "standard",
  sides: 1,
  repeats: 1,
  exposure_bracket: 1,
  focus_bracket: 1,
  raw: "never",
});
const chosen = signal<Partial<ScanOptions>>({});

/** Where the camera stands for each ring, in degrees above the platter; null where nobody said. */
export const heights = signal<(number | null)[]>([]);

/** The light for the next scan, where somebody said so: else as it shines now. */
export const scanLight = signal<{ light_level?: number; light_colour?: string }>({});

export function chooseLight(change: { light_level?: number; light_colour?: string }): void {
  scanLight.value = { ...scanLight.value, ...change };
}

/** What the next scan shall be like. */
export const options = computed<ScanOptions>(() => ({ ...usual.value, ...chosen.value }));

/** What somebody chose of it; the settings decide the rest. Heights count once every ring has one. */
export const wishes = computed<ScanWishes>(() => {
  const { rings } = options.value;
  const named = heights.value.slice(0, rings).filter((height) => height !== null);
  const wished = { ...chosen.value, ...scanLight.value };
  return named.length === rings ? { ...wished, rings, ring_elevations_deg: named } : wished;
});

export const VIEW_STEPS = [6, 8, 12, 16, 18, 24, 30, 36, 40, 45, 48, 60, 72, 90, 120, 180, 240, 360, 720];
export const RING_CHOICES = [1, 2, 3, 4];
export const QUALITIES: Quality[] = ["draft", "standard", "fine"];
export const RAW_PHOTOS: RawPhotos[] = ["never", "device", "bundle"];
/** Beyond the usual; each with what can be chosen by touch. */
export const MORE_CHOICES = {
  sides: [1, 2],
  repeats: [1, 2, 3],
  exposure_bracket: [1, 3, 5],
  focus_bracket: [1, 3, 5],
} as const;
export type MoreOption = keyof typeof MORE_CHOICES;
export const MORE_OPTIONS = Object.keys(MORE_CHOICES) as MoreOption[];

export function choose(change: Partial<ScanOptions>): void {
  chosen.value = { ...chosen.value, ...change };
}

export function chooseHeight(ring: number, height: number | null): void {
  heights.value = Array.from({ length: options.value.rings }, (_, one) =>
    one === ring ? height : (heights.value[one] ?? null),
  );
}

/** A list is its name several times. */
export function asQuery(wishes: ScanWishes): string {
  const pairs = Object.entries(wishes).flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));
  return new URLSearchParams(pairs).toString();
}

/** Begin with what the settings say. Raises Failure. */
export async function readUsualOptions(): Promise<void> {
  const { sections } = await read<{ sections: SettingsSection[] }>("settings");
  const keysOf = (name: string) => sections.find((section) => section.name === name)?.keys ?? [];
  const keys = [...keysOf("scan"), ...keysOf("camera").filter((key) => key.name === "raw")];
  usual.value = usualOf(usual.value, Object.fromEntries(keys.map((key) => [key.name, key.value])));
}

export function usualOf(before: ScanOptions, settings: Record<string, SettingValue>): ScanOptions {
  const names = ["rings", "views", ...MORE_OPTIONS] as const;
  const numbers = names.filter((name) => typeof settings[name] === "number").map((name) => [name, settings[name]]);
  const lists = [settings.ring_views, settings.ring_elevations_deg].map((list) => (Array.isArray(list) ? list.length : 0));
  const listed = Math.max(...lists);
  const raw = RAW_PHOTOS.find((one) => one === settings.raw) ?? before.raw;
  return { ...before, ...Object.fromEntries(numbers), ...(listed > 0 ? { rings: listed } : {}), raw };
}
