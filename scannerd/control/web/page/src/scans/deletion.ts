import { change } from "../api/client";
import type { Answer } from "../api/wire";
import { restoreScan } from "../state/commands";
import { reasonOf, tell } from "../state/news";
import { say } from "../words/messages";

/** Put a scan into the trash and offer to fetch it back. Return whether it went. */
export async function deleteScan(scan_id: string): Promise<boolean> {
  try {
    await change<Answer>("DELETE", `scans/${scan_id}`);
  } catch (failure) {
    tell(say("answer.refused", { what: say("detail.delete"), reason: reasonOf(failure) }), true);
    return false;
  }
  const undo = { label: say("detail.undo"), run: () => void restoreScan(scan_id) };
  tell(say("detail.deleted", { id: scan_id }), false, undo);
  return true;
}
