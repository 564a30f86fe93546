import type { JSX as Preact, Ref } from "preact";
import type { Viewer } from "./viewer";

interface ModelViewerAttributes extends Preact.HTMLAttributes<Viewer> {
  ref?: Ref<Viewer>;
  src: string;
  alt: string;
  exposure?: string;
  [attribute: `${string}-${string}`]: unknown;
}

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "model-viewer": ModelViewerAttributes;
    }
  }
}
