import type { Setting, SettingsSection, SettingValue } from "../api/wire";

/** What was typed and not yet saved, by key. */
export type Draft = Readonly<Record<string, SettingValue>>;

export function isChanged(setting: Setting, draft: Draft): boolean {
  return setting.name in draft && !isSame(draft[setting.name] ?? null, setting.value);
}

/** Lists are the same when their numbers are. */
export function isSame(one: SettingValue, other: SettingValue): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Read numbers apart by commas or spaces; null when there is something else. */
export function numbersIn(text: string): number[] | null {
  const numbers = text.split(/[\s,;]+/).filter(Boolean).map(Number);
  return numbers.every(Number.isFinite) ? numbers : null;
}

export function changesOf(section: SettingsSection, draft: Draft): Record<string, SettingValue> {
  const changed = section.keys.filter((setting) => isChanged(setting, draft));
  return Object.fromEntries(changed.map((setting) => [setting.name, draft[setting.name] ?? null]));
}

/** Return the problems that name a key, and those that name none. */
export function problemsOf(problems: readonly string[], name: string): string[] {
  return problems.filter((problem) => mentions(problem, name));
}

export function otherProblems(problems: readonly string[], section: SettingsSection): string[] {
  return problems.filter((problem) => !section.keys.some((setting) => mentions(problem, setting.name)));
}

function mentions(problem: string, name: string): boolean {
  return new RegExp(`(^|[^a-z0-9_])${name}([^a-z0-9_]|$)`).test(problem);
}
