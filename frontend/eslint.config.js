import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["src/api/schema.d.ts", "public/"] },
  js.configs.recommended,
  tseslint.configs.recommended,
  hooks.configs.flat.recommended,
  {
    rules: {
      "max-lines": ["error", { max: 250, skipBlankLines: true }],
      "no-console": "error",
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  {
    // What is sent to the server, and how its errors are told, is said once: in a named function of `src/api/<noun>.ts`.
    files: ["src/**"],
    ignores: ["src/api/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: [{ name: "openapi-fetch", message: "Only src/api speaks to the client." }],
          patterns: [{ regex: "(^|/)api/client(\\.ts)?$", message: "Only src/api speaks to the client." }],
        },
      ],
    },
  },
  {
    files: ["scripts/**"],
    languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } },
    rules: { "no-console": "off" },
  },
);
