export type Fillings = Record<string, string | number>;

const PLACEHOLDER = /\{(\w+)\}/g;

/** Return the text with its `{placeholders}` filled; one that nobody fills stays visible. */
export function fill(text: string, fillings: Fillings): string {
  return text.replace(PLACEHOLDER, (whole, name: string) => String(fillings[name] ?? whole));
}

export function placeholders(text: string): string[] {
  return Array.from(text.matchAll(PLACEHOLDER), (match) => match[1]!).sort();
}
