/** The same study for other hands: curl, the command line, Python. */
import type { StudySpec } from "../../api/types";
import { asWritten } from "./draft";

export function asCurl(spec: StudySpec, origin: string): string {
  return [
    `curl -X POST ${origin}/api/v1/studies \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  --data-binary @- <<'JSON'`,
    JSON.stringify(asWritten(spec), null, 2),
    "JSON",
  ].join("\n");
}

export function asCommand(yaml: string): string {
  return [`cat > study.yaml <<'YAML'`, yaml.trimEnd(), "YAML", "dropscope run study.yaml --follow"].join("\n");
}

/** Python's spelling of a JSON value. */
export function literal(value: unknown, indent = ""): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}    `;
  const lines = Array.isArray(value)
    ? value.map((item) => literal(item, deeper))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${literal(item, deeper)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const short = `${open}${lines.join(", ")}${close}`;
  if (short.length + indent.length < 90 && !short.includes("\n")) return short;
  return `${open}\n${lines.map((line) => `${deeper}${line},\n`).join("")}${indent}${close}`;
}

export function asPython(spec: StudySpec, origin: string): string {
  return [
    "import httpx",
    "",
    `study = ${literal(asWritten(spec))}`,
    `answer = httpx.post("${origin}/api/v1/studies", json=study)`,
    "answer.raise_for_status()",
    'print(answer.json()["id"])',
  ].join("\n");
}
