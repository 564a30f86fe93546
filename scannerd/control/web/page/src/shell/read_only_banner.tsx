import { useState } from "preact/hooks";
import { Dialog } from "../parts/dialog";
import { Icon } from "../parts/icon";
import { access } from "../state/access";
import { say } from "../words/messages";
import { PairingForm } from "./pairing_form";

/** Whoever may only look is told so, and how to do more. */
export function ReadOnlyBanner() {
  const [isPairing, setPairing] = useState(false);
  if (access.value !== "read-only") return null;
  return (
    <section class="banner" aria-label={say("readonly.pair")}>
      <Icon name="warning" />
      <div>
        <strong>{say("readonly.banner")}</strong>
      </div>
      <button type="button" class="action plain" onClick={() => setPairing(true)}>
        <span>{say("readonly.pair")}</span>
      </button>
      {isPairing && (
        <Dialog title={say("pair.title")} close={() => setPairing(false)}>
          <PairingForm />
        </Dialog>
      )}
    </section>
  );
}
