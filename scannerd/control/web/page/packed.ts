import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const WORTH_BYTES = 1024;
const TEXT = /\.(js|css|svg|json|txt)$/;

/** Writes a `.gz` beside every text of some size: a small device then sends it as it is and packs nothing itself. */
export function packed(): Plugin {
  return {
    name: "packed",
    enforce: "post",
    generateBundle(_options, bundle) {
      for (const [name, piece] of Object.entries(bundle)) {
        const source = piece.type === "chunk" ? piece.code : piece.source;
        if (!TEXT.test(name) || source.length < WORTH_BYTES) continue;
        this.emitFile({ type: "asset", fileName: `${name}.gz`, source: gzipSync(source, { level: 9 }) });
      }
    },
  };
}
