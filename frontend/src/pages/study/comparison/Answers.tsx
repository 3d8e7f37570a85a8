/** The verdict, first and largest, with its picture and what follows from it; further answers fold out below it. */
import { Paper, Skeleton, Text } from "@mantine/core";
import { IconCheck, IconClock, IconInfoCircle, IconQuestionMark } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Answer, StudyVerdict } from "../../../api/types";
import classes from "./Answers.module.css";
import { Terms } from "./Terms";

const STATES = {
  holds: { Icon: IconCheck, word: "Clear", means: "Clear of seed noise after correcting for the number of arms." },
  undecided: { Icon: IconQuestionMark, word: "Undecided", means: "Not separated from seed noise yet." },
  waiting: { Icon: IconClock, word: "Waiting", means: "Too few runs have finished." },
  plain: { Icon: IconInfoCircle, word: "Measured", means: "A measurement; no verdict between methods." },
} satisfies Record<Answer["state"], object>;

interface AnswersProps {
  verdict: StudyVerdict | undefined;
  /** The first is the verdict in one text. */
  answers: Answer[] | undefined;
  /** The picture beside the verdict. */
  picture?: ReactNode;
  /** What follows from it. */
  actions?: ReactNode;
  /** What can be done about an answer, below it. */
  below?: (answer: Answer) => ReactNode;
  /** With the further answers open: on paper nothing can be folded out. */
  unfolded?: boolean;
}

export function Answers({ verdict, answers, picture, actions, below, unfolded = false }: AnswersProps) {
  return (
    <section aria-label="Answers" className={classes.strip}>
      {verdict ? (
        <VerdictCard verdict={verdict} picture={picture} actions={actions} />
      ) : (
        <Skeleton height={240} radius="lg" />
      )}
      {answers && (
        <details className={classes.more} open={unfolded}>
          <summary>Does it overfit, which overfits least, which has the lowest loss</summary>
          <div className={classes.cards}>
            {answers.slice(1).map((answer) => (
              <AnswerCard key={answer.id} answer={answer} below={below?.(answer)} />
            ))}
          </div>
        </details>
      )}
    </section>
  );
}

interface VerdictCardProps {
  verdict: StudyVerdict;
  picture: ReactNode;
  actions: ReactNode;
}

function VerdictCard({ verdict, picture, actions }: VerdictCardProps) {
  return (
    <Paper className={classes.card} data-answer="use" data-state={verdict.state}>
      <div className={classes.words}>
        <div className={classes.head}>
          <Text span size="xs" c="dimmed" fw={600}>
            The verdict
          </Text>
          <State state={verdict.state} />
        </div>
        <h2 className={classes.headline}>{verdict.headline}</h2>
        <dl className={classes.lines}>
          {verdict.lines.map(({ about, title, text }) => (
            <div key={about} data-about={about}>
              <dt>{title}</dt>
              <dd>
                <Terms>{text}</Terms>
              </dd>
            </div>
          ))}
        </dl>
      </div>
      {picture && <div className={classes.picture}>{picture}</div>}
      {actions && <div className={classes.actions}>{actions}</div>}
    </Paper>
  );
}

function State({ state }: { state: Answer["state"] }) {
  const { Icon, word, means } = STATES[state];
  return (
    <span className={classes.state} title={means}>
      <Icon size={12} stroke={2.6} aria-hidden="true" />
      {word}
    </span>
  );
}

function AnswerCard({ answer, below }: { answer: Answer; below: ReactNode }) {
  return (
    <Paper className={classes.card} data-answer={answer.id} data-state={answer.state}>
      <div className={classes.head}>
        <Text span size="xs" c="dimmed" fw={600}>
          {answer.question}
        </Text>
        <State state={answer.state} />
      </div>
      <a href={`#figure-${answer.figure}`} className={classes.headline}>
        {answer.headline}
      </a>
      <Text span className={classes.text}>
        {answer.text}
      </Text>
      {below && <div className={classes.action}>{below}</div>}
    </Paper>
  );
}
