import { signal } from "@preact/signals";
import { change, read } from "../api/client";
import { Failure } from "../api/failure";
import type { Token } from "../api/wire";

/** What this browser may do. `unknown` until the daemon has said so. */
export type Access = "unknown" | "none" | "read-only" | "paired";

export const access = signal<Access>("unknown");

/** Ask the daemon what this browser may do: only a paired one sees who else is. Raises nothing. */
export async function askAccess(): Promise<void> {
  if (await allowed("tokens")) access.value = "paired";
  else if (await allowed("state")) access.value = "read-only";
  else access.value = "none";
}

/** Exchange a code for a token, which comes as a cookie that no script can read. Raises Failure. */
export async function pair(code: string, name: string): Promise<void> {
  await change<{ token_id: string }>("POST", "pair", { code: code.trim(), name: name.trim() });
  access.value = "paired";
}

export async function pairedDevices(): Promise<Token[]> {
  const answer = await read<{ tokens: Token[] }>("tokens");
  return answer.tokens;
}

async function allowed(path: string): Promise<boolean> {
  try {
    await read(path);
    return true;
  } catch (failure) {
    if (failure instanceof Failure && failure.kind === "unpaired") return false;
    throw failure;
  }
}
