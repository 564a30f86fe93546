import { useState } from "preact/hooks";
import { pair } from "../state/access";
import { reasonOf, tell } from "../state/news";
import { retryLink } from "../state/scanner";
import { say } from "../words/messages";
import { usualName } from "./pair_at_once";

export function PairingForm() {
  const [code, setCode] = useState("");
  const [name, setName] = useState(usualName);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState("");

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setRefusal("");
    try {
      await pair(code, name || usualName());
      tell(say("pair.done"));
      retryLink();
    } catch (failure) {
      setRefusal(reasonOf(failure));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form class="pairing-form" onSubmit={(event) => void submit(event)}>
      <p id="pair-help">{say("pair.help")}</p>
      <label>
        {say("pair.code")}
        <input
          class="code"
          value={code}
          required
          autocomplete="one-time-code"
          inputMode="numeric"
          spellcheck={false}
          maxLength={20}
          aria-describedby="pair-help pair-refusal"
          aria-invalid={refusal !== ""}
          onInput={(event) => setCode(event.currentTarget.value)}
        />
      </label>
      <label>
        {say("pair.name")}
        <input value={name} maxLength={60} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <p id="pair-refusal" class="refusal" role="alert">
        {refusal}
      </p>
      <button type="submit" class="action main large" disabled={busy || code.trim() === ""} aria-busy={busy}>
        <span>{busy ? say("wait.sending") : say("pair.submit")}</span>
      </button>
    </form>
  );
}
