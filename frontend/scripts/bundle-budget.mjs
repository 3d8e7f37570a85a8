// Fails when the first load of any page exceeds the budget: script in gzip, Plotly's lazy chunk left out.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 260;
const OUT = new URL("../../backend/web/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", OUT), "utf8"));

/** The chunk and everything it imports statically. */
function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
}

const size = (key) => gzipSync(readFileSync(new URL(manifest[key].file, OUT))).length / 1000;
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const pages = Object.keys(manifest).filter((key) => /^src\/pages\/.*Page\.tsx$/.test(key));
let failed = pages.length === 0;
for (const page of pages) {
  const chunks = new Set([...closure(entry), ...closure(page)]);
  const total = [...chunks].reduce((sum, key) => sum + size(key), 0);
  const plotly = [...chunks].some((key) => key.includes("plotly"));
  failed ||= total > BUDGET_KB || plotly;
  console.log(`${page.padEnd(40)} ${total.toFixed(1)} kB of ${BUDGET_KB}${plotly ? ", with Plotly in it" : ""}`);
}
process.exit(failed ? 1 : 0);
