/** Lets the page import YAML: read when it is built, so that no reader of YAML travels to the browser. */
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { parse } from "yaml";

export function yamlFiles(): Plugin {
  return {
    name: "yaml-files",
    enforce: "pre",
    load(id) {
      const file = id.split("?")[0]!;
      if (!file.endsWith(".yaml")) return null;
      return `export default ${JSON.stringify(parse(readFileSync(file, "utf8")))};`;
    },
  };
}
