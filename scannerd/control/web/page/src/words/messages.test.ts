import { describe, expect, it } from "vitest";
import de from "./de.json";
import en from "./en.json";
import { fill, placeholders } from "./placeholders";

const english: Record<string, string> = en;
const german: Record<string, string> = de;

describe("the message files", () => {
  it("have the same keys in the same order", () => {
    expect(Object.keys(german)).toEqual(Object.keys(english));
  });

  it.each(Object.keys(english))("%s has the same placeholders and is not empty", (key) => {
    expect(placeholders(german[key]!)).toEqual(placeholders(english[key]!));
    expect(english[key]!.trim()).not.toBe("");
    expect(german[key]!.trim()).not.toBe("");
  });
});

it("fills placeholders and leaves unknown ones to be seen", () => {
  expect(fill("{done} of {planned}, {other}", { done: 3, planned: "36" })).toBe("3 of 36, {other}");
});
