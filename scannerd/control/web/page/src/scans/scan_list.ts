import { read } from "../api/client";
import type { ScanOverview } from "../api/wire";

export const PAGE_LENGTH = 24;

/** Return scans, the newest first. Raises Failure. */
export async function scanList(limit: number, deleted: boolean): Promise<ScanOverview[]> {
  const { scans } = await read<{ scans: ScanOverview[] }>(`scans?limit=${limit}&deleted=${deleted}`);
  return scans;
}
