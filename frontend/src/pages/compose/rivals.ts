/** Free rivals: plain LoRA with another setting, arms that cost no method and that a method must beat. */
import type { ArmSpec, StudySpec } from "../../api/types";
import { commonRanks, rivalAxis, withArm, withBaseline, withoutArm, type RivalAxis } from "./draft";

export interface Rival {
  axis: RivalAxis;
  title: string;
  /** What the study itself has in its place. */
  usual: (spec: StudySpec) => number;
  own: (usual: number) => number;
}

export const RIVALS: Rival[] = [
  {
    axis: "epochs",
    title: "Two thirds of the epochs",
    usual: ({ training }) => training.epochs,
    own: (epochs) => (epochs < 3 ? Number(((2 * epochs) / 3).toPrecision(3)) : Math.round((2 * epochs) / 3)),
  },
  {
    axis: "learning_rate",
    title: "Half the learning rate",
    usual: ({ training }) => training.learning_rate,
    own: (rate) => rate / 2,
  },
  {
    axis: "weight_decay",
    title: "Three times the weight decay",
    usual: ({ training }) => training.weight_decay,
    own: (decay) => Number((3 * decay).toPrecision(6)),
  },
  {
    axis: "label_smoothing",
    title: "Label smoothing 0.1",
    usual: ({ training }) => training.label_smoothing,
    own: () => 0.1,
  },
  {
    axis: "rank",
    title: "Half the rank",
    usual: ({ lora }) => lora.rank,
    own: (rank) => Math.max(1, Math.floor(rank / 2)),
  },
];

const valueOf = (spec: StudySpec, rival: Rival) => rival.own(rival.usual(spec));

/** Where the rival's arm stands in the list; -1 where it is not chosen. */
export function rivalAt(spec: StudySpec, { axis }: Rival): number {
  return spec.arms.findIndex((arm) => rivalAxis(arm) === axis);
}

/** What differs from plain LoRA: "learning rate 0.001 instead of 0.002". */
export function inWords(spec: StudySpec, rival: Rival): string {
  const chosen = spec.arms[rivalAt(spec, rival)]?.[rival.axis] ?? valueOf(spec, rival);
  return `${rival.axis.replace("_", " ")} ${String(chosen)} instead of ${rival.usual(spec)}`;
}

/** Why a rival would be no arm of its own; undefined where it can be chosen. */
export function whyNoRival(spec: StudySpec, rival: Rival): string | undefined {
  if (rival.axis === "label_smoothing" && spec.task === "regression")
    return "Numbers have no other answers to smooth over.";
  if (rival.axis === "rank" && spec.start_from) return "Every run goes on from an adapter, at its rank.";
  if (rival.axis === "rank" && commonRanks(spec).length > 1) return "Every method is trained at several ranks already.";
  const usual = rival.usual(spec);
  return rival.own(usual) === usual
    ? `The ${rival.axis.replace("_", " ")} is ${usual} already: nothing would differ.`
    : undefined;
}

export function toggleRival(spec: StudySpec, rival: Rival): StudySpec {
  const at = rivalAt(spec, rival);
  if (at >= 0) return withoutArm(spec, at);
  const ranks = commonRanks(spec);
  const arm: ArmSpec = { method: "none", label: rival.title, [rival.axis]: valueOf(spec, rival) };
  if (ranks.length > 1) arm.rank = ranks;
  return withBaseline({ ...spec, arms: [...spec.arms, arm] });
}

/** After an edit of the study: rivals follow its settings, and what would be no arm of its own any more goes. */
export function withRivals(before: StudySpec, after: StudySpec): StudySpec {
  return RIVALS.reduce((spec, rival) => {
    const at = rivalAt(spec, rival);
    if (at < 0 || spec.arms[at]?.[rival.axis] !== valueOf(before, rival)) return spec;
    return whyNoRival(spec, rival) ? withoutArm(spec, at) : withArm(spec, at, { [rival.axis]: valueOf(spec, rival) });
  }, after);
}
