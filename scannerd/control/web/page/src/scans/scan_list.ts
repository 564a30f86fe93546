import { read } from "../api/client";
import type { ScanOverview } from "../api/wire";

export const PAGE_LENGTH = 24;
/** The daemon gives no more at once. */
const MOST_AT_ONCE = 200;

/** Return as many scans as wanted or as there are, the newest first. Raises Failure. */
export async function scanList(wanted: number, deleted: boolean): Promise<ScanOverview[]> {
  const found: ScanOverview[] = [];
  while (found.length < wanted) {
    const limit = Math.min(wanted - found.length, MOST_AT_ONCE);
    const before = found.at(-1);
    const older = before ? `&before=${encodeURIComponent(before.scan_id)}` : "";
    const { scans } = await read<{ scans: ScanOverview[] }>(`scans?limit=${limit}&deleted=${deleted}${older}`);
    found.push(...scans);
    if (scans.length < limit) break;
  }
  return found;
}
