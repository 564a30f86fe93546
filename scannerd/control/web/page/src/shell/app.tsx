import { useEffect } from "preact/hooks";
import { DeviceScreen } from "../device/device_screen";
import { ScanScreen } from "../scan/scan_screen";
import { DetailScreen } from "../scans/detail_screen";
import { ScansScreen } from "../scans/scans_screen";
import { access } from "../state/access";
import { place } from "../state/place";
import { link, state } from "../state/scanner";
import { say } from "../words/messages";
import { Header } from "./header";
import { LinkBanner } from "./link_banner";
import { Navigation } from "./navigation";
import { NewsLines } from "./news_lines";
import { PairingScreen } from "./pairing_screen";
import { ReadOnlyBanner } from "./read_only_banner";

export function App() {
  useTitle();
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        {say("app.skip")}
      </a>
      <div class="shell">
        <Header />
        {access.value !== "none" && <Navigation />}
        <div class="content">
          <LinkBanner />
          <ReadOnlyBanner />
          <main id="main" tabIndex={-1}>
            <Screen />
          </main>
        </div>
      </div>
      <NewsLines />
    </>
  );
}

/** The address after # belongs to the screens, so the link moves the focus by hand. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** What the browser's own list of open pages says. */
function useTitle(): void {
  const screen = place.value.screen;
  const word = say(screen === "detail" ? "nav.scans" : `nav.${screen}`);
  const device = state.value?.device ?? say("app.name");
  useEffect(() => {
    document.title = `${word} – ${device}`;
  }, [word, device]);
}

function Screen() {
  if (access.value === "none") return <PairingScreen />;
  if (state.value === null && link.value.kind === "connecting") {
    return <p class="muted waiting">{say("link.connecting")}</p>;
  }
  const here = place.value;
  if (here.screen === "scans") return <ScansScreen />;
  if (here.screen === "detail") return <DetailScreen key={here.scan_id} scan_id={here.scan_id} />;
  if (here.screen === "device") return <DeviceScreen />;
  return <ScanScreen />;
}
