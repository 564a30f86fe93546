import { batch, computed, signal } from "@preact/signals";
import { read } from "../api/client";
import type { StreamMessage } from "../api/event_parser";
import { EventStream, type StreamListener } from "../api/event_stream";
import { Failure } from "../api/failure";
import type { DeviceState, EventMessage, RunningScan, ScanDetail } from "../api/wire";
import { access, askAccess } from "./access";
import { afterEvent } from "./frames";
import { tell } from "./news";
import { Rereading } from "./rereading";
import { say } from "../words/messages";

/** Whether what the page shows is true now, and if not, since when. */
export type Link = { kind: "connecting" } | { kind: "connected" } | { kind: "lost"; since: Date };

export const link = signal<Link>({ kind: "connecting" });
export const state = signal<DeviceState | null>(null);
/** When `state` was read, in `performance.now()`: clocks run on from there. */
export const stateReadAt_ms = signal(0);
/** The scan that has the table, with its viewpoints. */
export const runningScan = signal<ScanDetail | null>(null);
/** Grows with everything that changes a list of scans. */
export const scansChanged = signal(0);
/** Grows with every change of settings, tokens or light, whoever made it. */
export const deviceChanged = signal(0);

export const mayControl = computed(() => access.value === "paired" && link.value.kind === "connected");

const CHANGES_SCANS = new Set([
  "scan_started",
  "scan_ended",
  "scan_sealed",
  "scan_given_up",
  "scan_deleted",
  "scan_restored",
  "scan_extended",
  "sync_progressed",
]);
const CHANGES_DEVICE = new Set(["config_taken", "light_changed", "background_stored", "health_changed"]);

async function readState(): Promise<void> {
  const fresh = await read<DeviceState>("state");
  const scan = fresh.scan;
  const detail = scan && !isUpToDate(scan) ? await read<ScanDetail>(`scans/${scan.scan_id}`) : runningScan.value;
  batch(() => {
    state.value = fresh;
    stateReadAt_ms.value = performance.now();
    runningScan.value = scan ? detail : null;
  });
}

/** Whether the viewpoints on the page are of this scan, and no event about them was missed. */
function isUpToDate(scan: RunningScan): boolean {
  const known = runningScan.value;
  if (known === null || known.scan_id !== scan.scan_id) return false;
  return known.frames_done >= scan.frames_done && known.frames_planned === scan.frames_planned;
}

/** Read everything anew: nothing that is shown may be older than this. */
async function readAnew(): Promise<void> {
  runningScan.value = null;
  await readState();
  if (link.value.kind === "lost") tell(say("link.back"));
  batch(() => {
    link.value = { kind: "connected" };
    scansChanged.value += 1;
    deviceChanged.value += 1;
  });
}

const rereading = new Rereading(readState, lose);

class Ear implements StreamListener {
  opened(): void {
    if (access.value === "unknown" || access.value === "none") void askAccess().catch(lose);
    void readAnew().catch(lose);
  }

  heard(message: StreamMessage): void {
    if (message.type === "reset") {
      void readAnew().catch(lose);
      return;
    }
    const event = JSON.parse(message.data) as EventMessage;
    if (runningScan.value) runningScan.value = afterEvent(runningScan.value, event);
    if (CHANGES_SCANS.has(event.type)) scansChanged.value += 1;
    if (CHANGES_DEVICE.has(event.type)) deviceChanged.value += 1;
    rereading.want();
  }

  lost(failure: Failure): void {
    lose(failure);
  }
}

function lose(failure: unknown): void {
  if (!(failure instanceof Failure)) throw failure;
  if (failure.kind === "unpaired") {
    access.value = "none";
    return;
  }
  if (link.value.kind !== "lost") link.value = { kind: "lost", since: new Date() };
}

const stream = new EventStream(new Ear());

/** Follow the scanner until the page is closed. */
export function follow(): void {
  window.addEventListener("online", () => stream.hurry());
  window.addEventListener("offline", () => stream.drop());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) stream.hurry();
  });
  void stream.follow(new AbortController().signal);
}

/** Try the connection at once. */
export function retryLink(): void {
  stream.hurry();
}
