import { useEffect } from "preact/hooks";

const STILL_PX = 10;
const SHORT_MS = 600;

/** Tell of short touches that did not move; a longer or moving one turns the model. */
export function useTap(element: HTMLElement, active: boolean, tapped: (x_px: number, y_px: number) => void): void {
  useEffect(() => {
    if (!active) return undefined;
    let began: PointerEvent | null = null;
    const down = (event: PointerEvent) => {
      began = event.isPrimary ? event : null;
    };
    const up = (event: PointerEvent) => {
      if (!began || event.pointerId !== began.pointerId) return;
      const moved_px = Math.hypot(event.clientX - began.clientX, event.clientY - began.clientY);
      if (moved_px < STILL_PX && event.timeStamp - began.timeStamp < SHORT_MS) tapped(event.clientX, event.clientY);
      began = null;
    };
    element.addEventListener("pointerdown", down);
    element.addEventListener("pointerup", up);
    return () => {
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("pointerup", up);
    };
  }, [element, active, tapped]);
}
