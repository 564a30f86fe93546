import german from "./settings.de.json";
import { language } from "./language";

const HELP: Record<string, string> = german;

/** What a key or section of the settings is for; the daemon says it in English. */
export function helpOf(id: string, english: string): { text: string; lang: string } {
  const text = language.value === "de" ? HELP[id] : undefined;
  return text === undefined ? { text: english, lang: "en" } : { text, lang: "de" };
}
