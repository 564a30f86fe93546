import { expect, it } from "vitest";
import type { Setting, SettingsSection } from "../api/wire";
import { changesOf, isChanged, numbersIn, otherProblems, problemsOf } from "./draft";

function setting(name: string, value: Setting["value"]): Setting {
  return { name, value, default: value, kind: "integer", unit: "", help: "", applies: "now" } as Setting;
}

const SCAN: SettingsSection = { name: "scan", help: "", keys: [setting("views", 36), setting("settle_s", 0.3)] };

it("sends only what differs from what is there", () => {
  expect(changesOf(SCAN, { views: 36, settle_s: 0.5 })).toEqual({ settle_s: 0.5 });
  expect(changesOf(SCAN, {})).toEqual({});
});

it("puts each problem beside its key", () => {
  const problems = ["[scan] views = 2: use a whole number, 3 to 720", "config.toml: no space left"];
  expect(problemsOf(problems, "views")).toEqual([problems[0]]);
  expect(problemsOf(problems, "view")).toEqual([]);
  expect(otherProblems(problems, SCAN)).toEqual([problems[1]]);
});

it("reads a list of numbers and compares it by what it holds", () => {
  expect(numbersIn("24, 12")).toEqual([24, 12]);
  expect(numbersIn(" 20.5;50 ")).toEqual([20.5, 50]);
  expect(numbersIn("")).toEqual([]);
  expect(numbersIn("20, up")).toBeNull();
  expect(isChanged(setting("ring_views", [24, 12]), { ring_views: [24, 12] })).toBe(false);
  expect(isChanged(setting("ring_views", [24, 12]), { ring_views: [24] })).toBe(true);
});
