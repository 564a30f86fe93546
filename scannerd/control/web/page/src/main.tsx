import { render } from "preact";
import { App } from "./shell/app";
import { pairAtOnce } from "./shell/pair_at_once";
import { followAddress } from "./state/place";
import { follow } from "./state/scanner";
import "./style/colours.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/parts.css";
import "./style/scan.css";
import "./style/scans.css";
import "./style/device.css";

async function begin(): Promise<void> {
  await pairAtOnce();
  window.addEventListener("hashchange", () => void pairAtOnce());
  followAddress();
  follow();
  render(<App />, document.getElementById("page")!);
}

void begin();
