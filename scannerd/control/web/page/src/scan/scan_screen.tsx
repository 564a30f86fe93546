import { state } from "../state/scanner";
import { IdleView } from "./idle_view";
import { RunningView } from "./running_view";

export function ScanScreen() {
  const scan = state.value?.scan ?? null;
  return scan ? <RunningView key={scan.scan_id} scan={scan} /> : <IdleView />;
}
