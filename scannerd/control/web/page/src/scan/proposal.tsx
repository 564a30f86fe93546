import type { Proposal, RunningScan } from "../api/wire";
import { Action } from "../parts/action";
import { Icon } from "../parts/icon";
import { extendScan, resumeScan } from "../state/commands";
import { degrees, figure } from "../words/figures";
import { say } from "../words/messages";

/** What would show the rest of the object, while it still lies there. */
export function ProposalQuestion({ scan, proposal }: { scan: RunningScan; proposal: Proposal }) {
  return (
    <section class="question" role="alert">
      <h2>
        <Icon name="question" />
        {say(`proposal.${proposal.kind}`)}
      </h2>
      <p>{wordsFor(proposal)}</p>
      <div class="row answers">
        <Action
          kind="main"
          large
          icon="plus"
          label={say("proposal.accept", { photos: figure(proposal.photos) })}
          run={async () => {
            if (await extendScan(scan.scan_id, {})) await resumeScan(scan.scan_id);
          }}
        />
        <Action kind="plain" large icon="check" label={say("proposal.decline")} run={() => resumeScan(scan.scan_id)} />
      </div>
    </section>
  );
}

function wordsFor(proposal: Proposal): string {
  const gain = figure(proposal.gain_percent);
  if (proposal.kind === "flip") return say("proposal.flip.help", { gain });
  return say("proposal.ring.help", { gain, height: degrees(proposal.elevation_deg ?? 0) });
}
