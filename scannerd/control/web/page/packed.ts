import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const WORTH_BYTES = 1024;
const TEXT = /\.(js|css|svg|json|txt)$/;

/** Writes a `.gz` beside every text of some size: a small device then sends it as it is and packs nothing itself. */
export function packed(): Plugin {
  return {
    name: "packed",
    // After the last change that the build makes to its files.
    enforce: "post",
    writeBundle({ dir = "" }, bundle) {
      for (const name of Object.keys(bundle).filter((name) => TEXT.test(name))) {
        const source = readFileSync(join(dir, name));
        if (source.length >= WORTH_BYTES) writeFileSync(join(dir, `${name}.gz`), gzipSync(source, { level: 9 }));
      }
    },
  };
}
