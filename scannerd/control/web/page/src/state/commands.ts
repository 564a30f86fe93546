import { change } from "../api/client";
import type { Answer, MorePhotos, ScanWishes } from "../api/wire";
import { say } from "../words/messages";
import { order } from "./news";

/** Everything that can be asked of the scanner; each tells its person what became of it. */

export function startScan(wishes: ScanWishes): Promise<boolean> {
  return order(say("scan.start"), () => change<Answer>("POST", "scans", wishes), say("scan.started"));
}

export function pauseScan(scan_id: string): Promise<boolean> {
  return order(say("scan.pause"), () => change<Answer>("POST", `scans/${scan_id}/pause`));
}

export function resumeScan(scan_id: string): Promise<boolean> {
  return order(say("scan.resume"), () => change<Answer>("POST", `scans/${scan_id}/resume`));
}

export function cancelScan(scan_id: string): Promise<boolean> {
  return order(say("scan.cancel"), () => change<Answer>("POST", `scans/${scan_id}/cancel`));
}

export function retakeFrame(scan_id: string, index: number): Promise<boolean> {
  return order(
    say("frame.retake"),
    () => change<Answer>("POST", `scans/${scan_id}/retake`, { index }),
    say("frame.retake.sent", { number: index + 1 }),
  );
}

export function extendScan(scan_id: string, wanted: MorePhotos): Promise<boolean> {
  return order(
    say("more.add"),
    () => change<Answer>("POST", `scans/${scan_id}/extend`, wanted),
    say("more.added"),
  );
}

export function restoreScan(scan_id: string): Promise<boolean> {
  return order(
    say("scans.restore"),
    () => change<Answer>("POST", `scans/${scan_id}/restore`),
    say("scans.restored", { id: scan_id }),
  );
}

export function sendFirst(scan_id: string): Promise<boolean> {
  return order(
    say("detail.sendfirst"),
    () => change<Answer>("POST", `scans/${scan_id}/send-first`),
    say("detail.sendfirst.done", { id: scan_id }),
  );
}

function command(what: string, name: string, details: object = {}): Promise<boolean> {
  return order(what, () => change<Answer>("POST", "commands", { command: name, ...details }));
}

export function home(): Promise<boolean> {
  return command(say("jog.home.done"), "home");
}

export function jog(delta_deg: number, label: string): Promise<boolean> {
  return command(label, "jog", { delta_deg });
}

export function stopAll(): Promise<boolean> {
  return command(say("jog.stop.done"), "stop");
}

/** Without a colour it keeps its own. */
export function setLight(level: number, colour?: string): Promise<boolean> {
  return command(say("light.set"), "light", colour === undefined ? { level } : { level, colour });
}

export function captureBackground(): Promise<boolean> {
  return command(say("guide.background.done"), "background");
}
