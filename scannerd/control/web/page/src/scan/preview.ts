import { useEffect, useRef, useState } from "preact/hooks";
import { picture } from "../api/client";
import { Failure } from "../api/failure";
import { reasonOf } from "../state/news";

/** Between two pictures: enough for placing an object, and the camera has pauses. */
const GAP_MS = 300;
const FAILED_GAP_MS = 2_000;
/** The viewfinder itself waits up to 15 s for a newer photo of a scan. */
const PICTURE_LIMIT_MS = 25_000;

export interface Preview {
  /** Of the newest picture; null before the first. */
  url: string | null;
  failure: string;
}

/** Fetch one picture after the other for as long as somebody looks; a picture that fails is tried again. */
export function usePreview(edges: boolean, camera: number): Preview {
  const [preview, setPreview] = useState<Preview>({ url: null, failure: "" });
  const shown = useRef(camera);
  useEffect(() => {
    const stop = new AbortController();
    // Never what another camera sees.
    setPreview((before) => (shown.current === camera ? before : { url: null, failure: "" }));
    shown.current = camera;
    void watch(edges, camera, stop.signal, setPreview);
    return () => stop.abort();
  }, [edges, camera]);
  useEffect(() => () => void (preview.url && URL.revokeObjectURL(preview.url)), [preview.url]);
  return preview;
}

async function watch(
  edges: boolean,
  camera: number,
  stop: AbortSignal,
  show: (change: (before: Preview) => Preview) => void,
): Promise<void> {
  let newer = "";
  while (!stop.aborted) {
    await untilSeen(stop);
    let wait_ms = GAP_MS;
    try {
      const { blob, seq } = await picture(`preview.jpg?edges=${edges}&camera=${camera}${newer}`, stop, PICTURE_LIMIT_MS);
      if (stop.aborted) return;
      newer = seq === null ? "" : `&newer_than=${seq}`;
      const url = URL.createObjectURL(blob);
      show(() => ({ url, failure: "" }));
    } catch (error) {
      if (stop.aborted) return;
      const failure = error instanceof Failure ? error : new Failure("no connection", "");
      show((before) => ({ ...before, failure: reasonOf(failure) }));
      newer = "";
      wait_ms = FAILED_GAP_MS;
    }
    await pause(wait_ms, stop);
  }
}

/** A page in the background looks at nothing. */
function untilSeen(stop: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !stop.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    stop.addEventListener("abort", look, { once: true });
  });
}

function pause(wait_ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, wait_ms);
    stop.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
