import { useState } from "preact/hooks";
import { change } from "../api/client";
import type { Token } from "../api/wire";
import { Action } from "../parts/action";
import { Confirm } from "../parts/dialog";
import { Wait } from "../parts/wait";
import { access, askAccess, pairedDevices } from "../state/access";
import { order } from "../state/news";
import { useResource } from "../state/resource";
import { deviceChanged } from "../state/scanner";
import { moment } from "../words/figures";
import { say } from "../words/messages";

/** Who may control the scanner, and taking that back. */
export function PairedDevices() {
  const [turn, setTurn] = useState(0);
  const [asked, setAsked] = useState<Token | null>(null);
  const devices = useResource(pairedDevices, [turn, deviceChanged.value, access.value]);
  if (access.value !== "paired") return null;
  const revoke = async (token: Token) => {
    const done = say("paired.revoked", { name: token.name });
    await order(say("paired.revoke"), () => change("DELETE", `tokens/${token.token_id}`), done);
    await askAccess();
    setTurn(turn + 1);
  };
  return (
    <section class="card">
      <h2>{say("device.paired")}</h2>
      <Wait of={devices}>
        {(tokens) => (
          <ul class="tokens">
            {tokens.length === 0 && <li class="muted">{say("paired.none")}</li>}
            {tokens.map((token) => (
              <li key={token.token_id}>
                <div>
                  <b>{token.name}</b> {token.current && <span class="tag">{say("paired.this")}</span>}
                  <p class="muted">{datesOf(token)}</p>
                </div>
                <Action
                  label={say("paired.revoke")}
                  name={say("paired.revoke.of", { name: token.name })}
                  run={() => setAsked(token)}
                />
              </li>
            ))}
          </ul>
        )}
      </Wait>
      {asked && (
        <Confirm
          title={say("paired.revoke.ask", { name: asked.name })}
          help={say("paired.revoke.help")}
          yes={say("paired.revoke")}
          no={say("dialog.no")}
          run={() => revoke(asked)}
          close={() => setAsked(null)}
        />
      )}
    </section>
  );
}

function datesOf(token: Token): string {
  const since = say("paired.since", { date: moment(token.created_at) });
  return token.last_used_at ? `${since}, ${say("paired.used", { date: moment(token.last_used_at) })}` : since;
}
