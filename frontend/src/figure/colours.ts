/** The fixed colour of each arm: hue by method, lightness by setting, as the server's charts draw them (backend/charts/palette.py; a test compares). */

const GREY = "#707070";
const BLUE = "#0072B2";
const SKY = "#56B4E9";
const GREEN = "#009E73";
const ORANGE = "#E69F00";
const VERMILLION = "#D55E00";
const PURPLE = "#CC79A7";
const VIOLET = "#8E3FE0";
const BROWN = "#9A6324";

export const METHOD_COLOURS: Record<string, string> = {
  none: GREY,
  native_dropout: VIOLET,
  rdrop: VIOLET,
  neftune: VIOLET,
  adapter_dropout: PURPLE,
  adapter_rank: PURPLE,
  dropkey: BLUE,
  dropkey_element: BLUE,
  dropkey_span: BLUE,
  dropattention: SKY,
  dropattention_grad: SKY,
  attention_dropout: SKY,
  hiddencut: GREEN,
  hiddencut_column: GREEN,
  hiddencut_span: GREEN,
  hiddencut_original: GREEN,
  hidden_dropout: GREEN,
  hiddenkey_minus: ORANGE,
  hiddenkey: VERMILLION,
  input_cutoff: BROWN,
  input_cutoff_span: BROWN,
  input_cutoff_feature: BROWN,
  output_dropout: BROWN,
};
const COMPOSED = [BLUE, SKY, GREEN, ORANGE, VERMILLION, PURPLE, VIOLET, BROWN];
const TONED = 0.35;

/** An arm's colour: its method's, lighter or darker by where its settings lie among the method's (`tone`, -1 to 1). */
export function colourOf(key: string, tone = 0): string {
  const colour = METHOD_COLOURS[key] ?? COMPOSED[fnv1a(key) % COMPOSED.length]!;
  const [target, share] = [tone < 0 ? 255 : 0, TONED * Math.min(1, Math.abs(tone))];
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const mixed = parts.map((part) => Math.floor(part + (target - part) * share + 0.5));
  return `#${mixed.map((part) => part.toString(16).padStart(2, "0").toUpperCase()).join("")}`;
}

/** FNV-1a of the UTF-8 bytes, 32 bits: the same in Python and here. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
