import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { reasonOf } from "./news";

/** Something read from the daemon. Every reading has a deadline, so `waiting` always ends. */
export type Resource<T> =
  | { kind: "waiting" }
  | { kind: "there"; value: T; again: () => void }
  | { kind: "failed"; reason: string; again: () => void };

/** Read something now and whenever one of `when` changes; what was there stays until the new one has come. */
export function useResource<T>(load: () => Promise<T>, when: readonly unknown[]): Resource<T> {
  const [resource, setResource] = useState<Resource<T>>({ kind: "waiting" });
  const latest = useRef(0);
  const again = useCallback(() => {
    const turn = (latest.current += 1);
    const isLatest = () => latest.current === turn;
    load().then(
      (value) => isLatest() && setResource({ kind: "there", value, again }),
      (failure) => isLatest() && setResource({ kind: "failed", reason: reasonOf(failure), again }),
    );
  }, when);
  useEffect(() => {
    again();
    return () => {
      latest.current += 1;
    };
  }, [again]);
  return resource;
}
