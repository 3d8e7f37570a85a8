/** A text whose terms of the trade explain themselves where they stand, by pointer, touch and keyboard. */
import { Tooltip } from "@mantine/core";
import classes from "./Answers.module.css";

const TERMS: [RegExp, string][] = [
  [
    /\bexpected calibration error\b/,
    "How far stated confidence is from how often it is right, on average: at 0.10 a model that says 90 % is right in about 80 %.",
  ],
  [
    /\bone temperature\b/,
    "A single number that all of a model's scores are divided by. It changes how sure answers are, never which they are.",
  ],
  [
    /\bafter correction\b/,
    "Corrected for how many arms were tested at once (Holm), so that one of many does not stand out by luck.",
  ],
  [/\bp [=<] [\d.]+/, "How often chance alone would give at least such a difference, if there were none."],
  [
    /\bvalidation loss\b/,
    "How badly the model predicts rows that it is not trained on; 0.69 nats is a coin toss between two classes.",
  ],
  [
    /\btest loss\b/,
    "How badly the model predicts rows that no choice was made on; 0.69 nats is a coin toss between two classes.",
  ],
  [
    /\bbest evaluation\b/,
    "Where the run's loss on held-out rows was lowest: its adapter is kept beside that of the last step.",
  ],
  [/\bFLOPs\b/, "Additions and multiplications: the work that training takes, whatever the machine."],
  [/\bheld-out rows?\b/, "Rows that no run is trained on."],
  [
    /\bseeds\b/,
    "Each fixes training rows, their order, initial weights and masks. All arms share the seeds, so they are compared seed by seed.",
  ],
  [/± [\d.]+/, "Half of a 95 % interval over seeds: the mean over further seeds would lie within it 95 times of 100."],
];
const ANY = new RegExp(TERMS.map(([one]) => one.source).join("|"), "g");

interface Piece {
  text: string;
  means?: string;
}

/** The text in pieces; each term is explained once, where it stands first. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  const told = new Set<string>();
  let from = 0;
  for (const match of text.matchAll(ANY)) {
    const means = TERMS.find(([one]) => new RegExp(`^(?:${one.source})$`).test(match[0]))?.[1];
    if (means === undefined || told.has(means)) continue;
    told.add(means);
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    found.push({ text: match[0], means });
    from = match.index + match[0].length;
  }
  return from < text.length ? [...found, { text: text.slice(from) }] : found;
}

export function Terms({ children }: { children: string }) {
  return pieces(children).map(({ text, means }, at) =>
    means ? (
      <Tooltip key={at} label={means} multiline maw={320} events={{ hover: true, focus: true, touch: true }}>
        <span className={classes.term} tabIndex={0}>
          {text}
        </span>
      </Tooltip>
    ) : (
      text
    ),
  );
}
