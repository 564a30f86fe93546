import type { ComponentChildren } from "preact";
import { address } from "../api/client";
import { Action } from "../parts/action";
import { Icon } from "../parts/icon";
import { captureBackground } from "../state/commands";
import { say } from "../words/messages";

const PAPERS = ["A4", "A3", "Letter"];

/** The two things that a new scanner needs once. */
export function Guides() {
  return (
    <section class="card">
      <h2>{say("device.guides")}</h2>
      <details class="fold">
        <summary>{say("guide.background")}</summary>
        <Steps steps={[say("guide.background.1"), say("guide.background.2"), say("guide.background.3")]}>
          <Action kind="main" icon="frame" label={say("guide.background.do")} run={captureBackground} />
        </Steps>
      </details>
      <details class="fold">
        <summary>{say("guide.mat")}</summary>
        <Steps steps={[say("guide.mat.1"), say("guide.mat.2"), say("guide.mat.3")]}>
          <div class="row">
            {PAPERS.map((paper) => (
              <a key={paper} class="action plain" href={address(`mat.pdf?paper=${paper}`)} download={`mat-${paper}.pdf`}>
                <Icon name="download" />
                <span>{say("guide.mat.download", { paper })}</span>
              </a>
            ))}
          </div>
        </Steps>
      </details>
    </section>
  );
}

function Steps({ steps, children }: { steps: string[]; children: ComponentChildren }) {
  return (
    <>
      <ol class="steps">
        {steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      {children}
    </>
  );
}
