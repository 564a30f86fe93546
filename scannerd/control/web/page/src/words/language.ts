import { computed, effect, signal } from "@preact/signals";
import { keep, kept } from "../state/memory";

export type Language = "en" | "de";

function preferred(): Language {
  const stored = kept("language");
  if (stored === "en" || stored === "de") return stored;
  return navigator.language.toLowerCase().startsWith("de") ? "de" : "en";
}

export const language = signal<Language>(preferred());

/** Numbers and dates as the browser's own country writes them, where it speaks the page's language. */
export const locale = computed(() =>
  navigator.language.toLowerCase().startsWith(language.value) ? navigator.language : language.value,
);

export function switchLanguage(): void {
  language.value = language.value === "en" ? "de" : "en";
  keep("language", language.value);
}

/** Screen readers choose their voice by the document's language. */
effect(() => {
  document.documentElement.lang = language.value;
});
