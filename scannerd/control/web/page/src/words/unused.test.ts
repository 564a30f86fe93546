import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import en from "./en.json";

const SOURCES = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Families whose last part is chosen while the page runs: `say(`mood.${mood}`)` and the like. */
function usedStems(text: string): string[] {
  const built = Array.from(text.matchAll(/`([a-z.]+)\.\$\{/g), (match) => `${match[1]}.`);
  const known = Array.from(text.matchAll(/say(?:Known|Count)\(\s*"([a-z.]+)"/g), (match) => `${match[1]}.`);
  return [...built, ...known];
}

it("every message is used somewhere", () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" });
  const text = files
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".test.ts"))
    .map((name) => readFileSync(join(SOURCES, name), "utf8"))
    .join("\n");
  const stems = usedStems(text);
  const unused = Object.keys(en).filter(
    (key) => !text.includes(`"${key}"`) && !stems.some((stem) => key.startsWith(stem)),
  );
  expect(unused).toEqual([]);
});
