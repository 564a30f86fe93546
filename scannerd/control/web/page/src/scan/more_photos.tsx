import { useState } from "preact/hooks";
import { Action } from "../parts/action";
import { Dialog } from "../parts/dialog";
import { Stepper } from "../parts/stepper";
import { Switch } from "../parts/switch";
import { extendScan } from "../state/commands";
import { say } from "../words/messages";
import { VIEW_STEPS } from "./options";

const USUAL_VIEWS = 24;

/** Adds a turn to a scan that is not complete: from another height, or of the object turned over. */
export function MorePhotos({ scan_id }: { scan_id: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Action kind="quiet" icon="plus" label={say("more.title")} run={() => setOpen(true)} />
      {isOpen && <MoreDialog scan_id={scan_id} close={() => setOpen(false)} />}
    </>
  );
}

function MoreDialog({ scan_id, close }: { scan_id: string; close: () => void }) {
  const [views, setViews] = useState(USUAL_VIEWS);
  const [height, setHeight] = useState<number | null>(null);
  const [isTurned, setTurned] = useState(false);
  const wanted = { views, turn_over: isTurned, ...(height === null ? {} : { elevation_deg: height }) };
  return (
    <Dialog title={say("more.title")} close={close}>
      <p>{say("more.help")}</p>
      <Stepper
        label={say("scan.views")}
        fewer={say("scan.views.fewer")}
        more={say("scan.views.more")}
        value={views}
        steps={VIEW_STEPS}
        choose={setViews}
      />
      <label class="height">
        <span>{say("scan.heights")}</span>
        <small>{say("scan.heights.help")}</small>
        <input
          type="number"
          inputMode="numeric"
          min={-10}
          max={90}
          value={height ?? ""}
          onInput={(event) => {
            const typed = event.currentTarget.valueAsNumber;
            setHeight(Number.isFinite(typed) ? typed : null);
          }}
        />
      </label>
      <Switch label={say("more.turned")} on={isTurned} turn={setTurned} />
      <Action
        kind="main"
        large
        icon="plus"
        label={say("more.add")}
        run={async () => {
          if (await extendScan(scan_id, wanted)) close();
        }}
      />
    </Dialog>
  );
}
