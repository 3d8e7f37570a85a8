/** Ready-made studies: what each is called, and its file of docs/studies, which the command line runs, too. */
import type { StudySpec } from "../../api/types";

export interface Template {
  id: string;
  title: string;
  sentence: string;
}

const WORDS: [id: string, title: string, sentence: string][] = [
  ["demo", "Demo", "Eight methods on 128 film reviews: does any keep plain LoRA from overfitting?"],
  ["rate-sweep", "Rate sweep", "Which rate? Three methods over the paper's grid of rates."],
  ["rank-sweep", "Rank sweep", "Does a small adapter overfit at all? Three methods at four ranks."],
  ["combination", "Combination", "What does each part of HiddenKey add, and which consistency loss ties it best?"],
  [
    "fair-rates",
    "Each method at its best",
    "Rates and learning rates chosen on validation rows, reported on test rows.",
  ],
  ["kl-or-js", "KL or JS", "Which consistency loss ties the two passes of HiddenKey best?"],
  ["what-it-cost", "What it cost elsewhere", "What does a language model forget of general texts while it learns?"],
  ["paper-rte", "Paper: RTE", "The settings of the paper's Table 6 for RTE; add the data set first."],
  ["paper-mrpc", "Paper: MRPC", "The settings of the paper's Table 6 for MRPC; add the data set first."],
  ["paper-sst2", "Paper: SST-2", "The settings of the paper's Table 6 for SST-2; add the data set first."],
  ["paper-cola", "Paper: CoLA", "The settings of the paper's Table 6 for CoLA; add the data set first."],
  ["paper-stsb", "Paper: STS-B", "The settings of the paper's Table 6 for STS-B; add the data set first."],
  ["paper-qnli", "Paper: QNLI", "The settings of the paper's Table 6 for QNLI; add the data set first."],
  ["paper-e2e", "Paper: E2E", "The settings of the paper's Table 7 for E2E; add the data set first."],
  ["paper-webnlg", "Paper: WebNLG", "The settings of the paper's Table 7 for WebNLG; add the data set first."],
];

export const TEMPLATES: Template[] = WORDS.map(([id, title, sentence]) => ({ id, title, sentence }));

/** The study of a template; undefined where there is none of that name. Fetched only when one is asked for. */
export const template = async (id: string): Promise<StudySpec | undefined> =>
  (await import("./templateFiles")).study(id);
