import { useEffect, useState } from "preact/hooks";

const TICK_MS = 1000;

/** Return how many seconds have passed since a moment of `performance.now()`; counts on while `runs`. */
export function useSecondsSince(moment_ms: number, runs: boolean): number {
  const [now_ms, setNow] = useState(() => performance.now());
  useEffect(() => {
    setNow(performance.now());
    if (!runs) return undefined;
    const timer = setInterval(() => setNow(performance.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [moment_ms, runs]);
  return runs ? Math.max(0, (now_ms - moment_ms) / 1000) : 0;
}
