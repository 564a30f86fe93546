import { defineConfig } from "vitest/config";
import { licences } from "./licences";
import { packed } from "./packed";

export default defineConfig({
  // Relative, so that the page also works behind a proxy that puts it under a path of its own.
  base: "./",
  plugins: [licences(), packed()],
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    outDir: "../built",
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    // The 3D viewer is one large piece that loads late.
    chunkSizeWarningLimit: 1500,
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
