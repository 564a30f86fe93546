import { Action } from "../parts/action";
import { startScan } from "../state/commands";
import { say } from "../words/messages";
import { ForecastLine } from "./forecast";
import { wishes } from "./options";
import { OptionsPanel } from "./options_panel";
import { StandingCards } from "./standing_cards";
import { Viewfinder } from "./viewfinder";

/** Before a scan: place the object, choose, press Start. */
export function IdleView() {
  return (
    <div class="scan-view">
      <Viewfinder />
      <aside class="panel">
        <div class="panel-body">
          <h1 class="unseen">{say("scan.ready")}</h1>
          <StandingCards />
          <OptionsPanel />
          <ForecastLine />
        </div>
        <Action kind="main" large icon="play" label={say("scan.start")} run={() => startScan(wishes.value)} />
      </aside>
    </div>
  );
}
