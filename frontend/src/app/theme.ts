/** The look of the whole page: quiet slate surfaces, one ink-blue accent, the system's own font. */
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const ink: MantineColorsTuple = [
  "#eef2ff",
  "#dce3fb",
  "#b5c2f1",
  "#8c9fe8",
  "#6a82e0",
  "#5470dc",
  "#4460d2",
  "#3450c4",
  "#2c45ad",
  "#213894",
];

const slate: MantineColorsTuple = [
  "#e8ebf0",
  "#c4cad5",
  "#a5adbb",
  "#7f8898",
  "#566072",
  "#3a4252",
  "#2a303d",
  "#1c212b",
  "#151922",
  "#0f1219",
];

const gray: MantineColorsTuple = [
  "#f7f8fa",
  "#f0f2f5",
  "#e4e7ec",
  "#d5dae1",
  "#b9c0cb",
  "#929bab",
  "#646e80",
  "#4b5566",
  "#2f3746",
  "#1a202c",
];

export const theme = createTheme({
  primaryColor: "ink",
  primaryShade: { light: 7, dark: 6 },
  colors: { ink, dark: slate, gray },
  fontFamily: '-apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", system-ui, sans-serif',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
  defaultRadius: "md",
  cursorType: "pointer",
  headings: {
    fontWeight: "650",
    sizes: {
      h1: { fontSize: "1.5rem", lineHeight: "1.25" },
      h2: { fontSize: "1.125rem", lineHeight: "1.35" },
      h3: { fontSize: "0.95rem", lineHeight: "1.4" },
    },
  },
  components: {
    Paper: { defaultProps: { withBorder: true, radius: "lg" } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250, multiline: true, maw: 320 } },
    Anchor: { defaultProps: { underline: "hover" } },
    Table: { defaultProps: { verticalSpacing: 7, horizontalSpacing: "sm" } },
  },
});

/** Surfaces and text shades that Mantine has no name for; text on them keeps a contrast of at least 4.5. */
export const cssVariables: CSSVariablesResolver = (mantine) => ({
  variables: {},
  light: {
    "--mantine-color-body": "#f6f7f9",
    "--surface": "#ffffff",
    "--surface-sunken": "#f0f2f5",
    "--line": mantine.colors.gray[2],
    "--line-strong": mantine.colors.gray[3],
    "--mantine-color-dimmed": "#5b6576",
    "--mantine-color-placeholder": "#6b7484",
    "--chart-grid": "#e9ecf1",
    "--chart-zero": "#8b94a4",
    "--chart-text": "#3e4758",
    "--good": "#0b6e4f",
    "--bad": "#b3261e",
    "--warn": "#8a5a00",
  },
  dark: {
    "--mantine-color-body": "#0f1219",
    "--surface": "#161a23",
    "--surface-sunken": "#1d222d",
    "--line": "#262c38",
    "--line-strong": "#353d4c",
    "--mantine-color-dimmed": "#9aa3b3",
    "--mantine-color-placeholder": "#8a93a4",
    "--mantine-color-anchor": "#9db0f5",
    "--chart-grid": "#232936",
    "--chart-zero": "#6f7a8c",
    "--chart-text": "#b8c0cd",
    "--good": "#5fd0a5",
    "--bad": "#ff8f87",
    "--warn": "#e0b45c",
  },
});
