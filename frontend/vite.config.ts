import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { yamlFiles } from "./scripts/yaml-files.ts";

const SERVICE = "http://127.0.0.1:8321";

export default defineConfig({
  plugins: [react(), yamlFiles()],
  base: "./", // a proxy may serve the page under a path of its own
  build: {
    outDir: "../backend/web",
    emptyOutDir: true,
    manifest: true,
    // light-dark() and color-mix() stay as they are written: their stand-ins follow the system's theme, not the chosen one.
    cssTarget: ["chrome123", "edge123", "firefox121", "safari17.5"],
    // Plotly's cartesian bundle is one lazy chunk of 1.4 MB; the first load has a budget of its own (scripts/bundle-budget.mjs).
    chunkSizeWarningLimit: 1600,
    // A data: URL would need nothing, but fonts and scripts stay files so that the policy of the page stays strict.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        // A page asks for few files: what two pages share comes in one of two chunks, libraries and the product's own.
        codeSplitting: {
          groups: [
            { name: "libraries", test: /node_modules/, minShareCount: 2, priority: 2 },
            { name: "shared", test: /\/src\//, minShareCount: 3, priority: 1 },
          ],
        },
      },
    },
  },
  // `make dev`: the service takes changes from pages of its own address only, so requests say that they come from there.
  server: { proxy: { "/api": { target: SERVICE, changeOrigin: true, headers: { origin: SERVICE } } } },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
  },
});
