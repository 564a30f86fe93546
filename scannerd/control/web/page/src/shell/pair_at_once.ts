import { say } from "../words/messages";
import { pair } from "../state/access";
import { reasonOf, tell } from "../state/news";
import { takePairingCode } from "../state/place";
import { retryLink } from "../state/scanner";

/** The name under which a browser is paired, until somebody gives another one. */
export function usualName(): string {
  return say(Math.min(screen.width, screen.height) < 600 ? "pair.name.phone" : "pair.name.tablet");
}

/** Use the code of a `#pair=CODE` address, as the QR code of `scannerd pair` has it. */
export async function pairAtOnce(): Promise<void> {
  const code = takePairingCode();
  if (code === null) return;
  try {
    await pair(code, usualName());
    retryLink();
    tell(say("pair.done"));
  } catch (failure) {
    tell(say("answer.refused", { what: say("pair.title"), reason: reasonOf(failure) }), true);
  }
}
