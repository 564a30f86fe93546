import { useEffect, useState } from "preact/hooks";
import { say } from "../words/messages";
import { figure } from "../words/figures";
import type { Viewer } from "./viewer";

/** A model on a slow network takes its time, but not for ever. */
const LOAD_LIMIT_MS = 120_000;

export type Loading = { kind: "loading"; percent: number } | { kind: "there" } | { kind: "failed"; reason: string };

/** Fetch the viewer itself, late: the rest of the page does not wait for it. */
export function useViewerCode(): Loading {
  const [loading, setLoading] = useState<Loading>({ kind: "loading", percent: 0 });
  useEffect(() => {
    if (!hasWebGl()) {
      setLoading({ kind: "failed", reason: say("model.nowebgl") });
      return;
    }
    import("./viewer").then(
      () => setLoading({ kind: "there" }),
      () => setLoading({ kind: "failed", reason: say("failure.no connection") }),
    );
  }, []);
  return loading;
}

/** Follow a viewer while it loads its model. */
export function useModelLoading(viewer: Viewer | null): Loading {
  const [loading, setLoading] = useState<Loading>({ kind: "loading", percent: 0 });
  useEffect(() => {
    if (!viewer) return undefined;
    const fail = (reason: string) => setLoading({ kind: "failed", reason });
    const seconds = figure(LOAD_LIMIT_MS / 1000);
    const deadline = setTimeout(() => fail(say("model.toolate", { seconds })), LOAD_LIMIT_MS);
    const done = () => {
      clearTimeout(deadline);
      setLoading({ kind: "there" });
    };
    const progress = (event: Event) => {
      const share = (event as CustomEvent<{ totalProgress: number }>).detail.totalProgress;
      setLoading((before) => (before.kind === "loading" ? { kind: "loading", percent: 100 * share } : before));
    };
    const failed = (event: Event) => {
      clearTimeout(deadline);
      const detail = (event as CustomEvent<{ sourceError?: Error }>).detail;
      fail(detail.sourceError?.message ?? say("failure.no connection"));
    };
    viewer.addEventListener("load", done);
    viewer.addEventListener("progress", progress);
    viewer.addEventListener("error", failed);
    return () => {
      clearTimeout(deadline);
      viewer.removeEventListener("load", done);
      viewer.removeEventListener("progress", progress);
      viewer.removeEventListener("error", failed);
    };
  }, [viewer]);
  return loading;
}

function hasWebGl(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}
