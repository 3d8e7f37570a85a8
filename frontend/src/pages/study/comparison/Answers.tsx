/** The answers in words: what to use first and largest with its picture, then what it rests on. */
import { Paper, Skeleton, Text } from "@mantine/core";
import { IconCheck, IconClock, IconInfoCircle, IconQuestionMark } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Answer } from "../../../api/types";
import classes from "./Answers.module.css";

const STATES = {
  holds: { Icon: IconCheck, word: "Clear", means: "Clear of seed noise after correcting for the number of arms." },
  undecided: { Icon: IconQuestionMark, word: "Undecided", means: "Not separated from seed noise yet." },
  waiting: { Icon: IconClock, word: "Waiting", means: "Too few runs have finished." },
  plain: { Icon: IconInfoCircle, word: "Measured", means: "A measurement; no verdict between methods." },
} satisfies Record<Answer["state"], object>;

interface AnswersProps {
  answers: Answer[] | undefined;
  /** The picture beside the first answer. */
  picture?: ReactNode;
  /** What can be done about an answer, below it. */
  action?: (answer: Answer) => ReactNode;
}

export function Answers({ answers, picture, action }: AnswersProps) {
  return (
    <section aria-label="Answers" className={classes.strip}>
      {answers
        ? answers.map((answer, at) => (
            <AnswerCard
              key={answer.id}
              answer={answer}
              picture={at === 0 ? picture : undefined}
              action={action?.(answer)}
            />
          ))
        : [0, 1, 2, 3].map((card) => <Skeleton key={card} height={148} radius="lg" />)}
    </section>
  );
}

function AnswerCard({ answer, picture, action }: { answer: Answer; picture: ReactNode; action: ReactNode }) {
  const { Icon, word, means } = STATES[answer.state];
  return (
    <Paper className={classes.card} data-answer={answer.id} data-state={answer.state}>
      <div className={classes.words}>
        <div className={classes.head}>
          <Text span size="xs" c="dimmed" fw={600}>
            {answer.question}
          </Text>
          <span className={classes.state} title={means}>
            <Icon size={12} stroke={2.6} aria-hidden="true" />
            {word}
          </span>
        </div>
        <a href={`#figure-${answer.figure}`} className={classes.headline}>
          {answer.headline}
        </a>
        {answer.advice && (
          <Text span className={classes.advice}>
            {answer.advice}
          </Text>
        )}
        <Text span className={classes.text}>
          {answer.text}
        </Text>
        {action && <div className={classes.action}>{action}</div>}
      </div>
      {picture && <div className={classes.picture}>{picture}</div>}
    </Paper>
  );
}
