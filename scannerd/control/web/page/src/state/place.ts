import { signal } from "@preact/signals";

/** Where in the page its person is; the address bar says the same. */
export type Place =
  | { screen: "scan" }
  | { screen: "scans" }
  | { screen: "detail"; scan_id: string }
  | { screen: "device" };

export function placeOf(hash: string): Place {
  const [, screen, rest] = hash.split("/");
  if (screen === "scans" && rest) return { screen: "detail", scan_id: decodeURIComponent(rest) };
  if (screen === "scans" || screen === "device") return { screen };
  return { screen: "scan" };
}

export const place = signal<Place>({ screen: "scan" });

/** Return the code of a `#pair=CODE` address, which pairs at once, and take it out of the address. */
export function takePairingCode(): string | null {
  const code = /^#pair=(.+)$/.exec(location.hash)?.[1];
  if (code === undefined) return null;
  history.replaceState(null, "", "#/scan");
  return decodeURIComponent(code);
}

export function followAddress(): void {
  const look = () => {
    place.value = placeOf(location.hash);
  };
  window.addEventListener("hashchange", look);
  look();
}

export function go(hash: string): void {
  location.hash = hash;
}
