import de from "./de.json";
import en from "./en.json";
import { fill, type Fillings } from "./placeholders";
import { language, type Language } from "./language";

export type Message = keyof typeof en;

const TEXTS: Record<Language, Record<Message, string>> = { en, de };

/** Return a message in the page's language, its `{placeholders}` filled. */
export function say(message: Message, fillings: Fillings = {}): string {
  return fill(TEXTS[language.value][message], fillings);
}

/** The stem of messages that exist as `….one` and `….other`. */
type Counted = Message extends infer M ? (M extends `${infer Stem}.one` ? Stem : never) : never;

/** Return the form that fits a number, which fills `{count}`. */
export function sayCount(stem: Counted, count: number): string {
  const form = new Intl.PluralRules(language.value).select(count) === "one" ? "one" : "other";
  return say(`${stem}.${form}`, { count: new Intl.NumberFormat(language.value).format(count) });
}

/** Return a message whose last part comes from the daemon, or what came when there is none for it. */
export function sayKnown(stem: string, name: string): string {
  const texts: Record<string, string> = TEXTS[language.value];
  return texts[`${stem}.${name}`] ?? name;
}
