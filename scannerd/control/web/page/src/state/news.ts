import { signal } from "@preact/signals";
import { Failure } from "../api/failure";
import type { Answer } from "../api/wire";
import { askAccess } from "./access";
import { say, sayKnown } from "../words/messages";

/** A line that tells what became of something. `bad` ones stay until they are closed. */
export interface News {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void };
}

const GOOD_SHOWN_MS = 5_000;
const UNDO_SHOWN_MS = 15_000;
const MOST_SHOWN = 3;

export const news = signal<News[]>([]);
let nextId = 1;

export function tell(text: string, bad = false, action?: News["action"]): void {
  const line: News = { id: nextId, text, bad, ...(action ? { action } : {}) };
  nextId += 1;
  news.value = [...news.value.filter((other) => other.text !== text), line].slice(-MOST_SHOWN);
  if (!bad) setTimeout(() => dismiss(line.id), action ? UNDO_SHOWN_MS : GOOD_SHOWN_MS);
}

export function dismiss(id: number): void {
  news.value = news.value.filter((line) => line.id !== id);
}

/** Say why something did not work, for people. */
export function reasonOf(failure: unknown): string {
  if (!(failure instanceof Failure)) throw failure;
  return failure.detail || sayKnown("failure", failure.kind);
}

/** Send a command and tell what became of it. Return whether it was accepted. */
export async function order(what: string, send: () => Promise<Answer | object>, done?: string): Promise<boolean> {
  try {
    await send();
  } catch (failure) {
    if (failure instanceof Failure && failure.kind === "unpaired") void askAccess().catch(reasonOf);
    tell(say("answer.refused", { what, reason: reasonOf(failure) }), true);
    return false;
  }
  tell(done ?? say("answer.accepted", { what }));
  return true;
}
