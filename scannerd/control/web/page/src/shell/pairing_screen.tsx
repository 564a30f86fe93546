import { say } from "../words/messages";
import { PairingForm } from "./pairing_form";

/** All that a browser sees that the scanner does not know. */
export function PairingScreen() {
  return (
    <section class="pairing card">
      <h1>{say("pair.title")}</h1>
      <PairingForm />
    </section>
  );
}
