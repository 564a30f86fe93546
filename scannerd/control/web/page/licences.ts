import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const NOTICE_NAMES = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"];

/** Writes `licences.txt` beside the page: the terms of every package that went into it. */
export function licences(): Plugin {
  return {
    name: "licences",
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === "chunk") {
          for (const module of Object.keys(chunk.modules)) addPackage(folders, module);
        }
      }
      const source = [...folders].sort().map(notice).join("\n\n");
      this.emitFile({ type: "asset", fileName: "licences.txt", source });
    },
  };
}

function addPackage(folders: Set<string>, module: string): void {
  const found = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module);
  if (found?.[1]) folders.add(found[1]);
}

function notice(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = NOTICE_NAMES.map((known) => join(folder, known)).find(existsSync);
  return `==== ${name} ${version} (${license}) ====\n${file ? readFileSync(file, "utf8").trim() : ""}`;
}
