/** The four answers in words: what overfits, where the gap is smallest, which loss is lowest, what to use. */
import { Paper, SimpleGrid, Skeleton, Text, ThemeIcon } from "@mantine/core";
import { IconCheck, IconClock, IconInfoCircle, IconQuestionMark } from "@tabler/icons-react";
import type { Answer } from "../../api/types";
import classes from "./Answers.module.css";

const STATES = {
  holds: { Icon: IconCheck, colour: "teal", word: "Holds" },
  undecided: { Icon: IconQuestionMark, colour: "yellow", word: "Undecided" },
  waiting: { Icon: IconClock, colour: "gray", word: "Waiting" },
  plain: { Icon: IconInfoCircle, colour: "ink", word: "Measured" },
} satisfies Record<Answer["state"], object>;

/** `linked`: each answer leads to the chart that shows it. */
export function Answers({ answers, linked = true }: { answers: Answer[] | undefined; linked?: boolean }) {
  return (
    <SimpleGrid component="section" aria-label="Answers" cols={{ base: 1, xs: 2, lg: 4 }} spacing="sm">
      {answers
        ? answers.map((answer) => <AnswerCard key={answer.id} answer={answer} linked={linked} />)
        : [0, 1, 2, 3].map((card) => <Skeleton key={card} height={116} radius="lg" />)}
    </SimpleGrid>
  );
}

function AnswerCard({ answer, linked }: { answer: Answer; linked: boolean }) {
  const { Icon, colour, word } = STATES[answer.state];
  return (
    <Paper
      {...(linked ? { component: "a", href: `#figure-${answer.figure}` } : {})}
      className={classes.card}
      data-linked={linked || undefined}
    >
      <span className={classes.head}>
        <Text span size="xs" c="dimmed" fw={600}>
          {answer.question}
        </Text>
        <ThemeIcon size={18} radius="xl" variant="light" color={colour} title={word} aria-label={word}>
          <Icon size={13} stroke={2.4} />
        </ThemeIcon>
      </span>
      <Text span className={classes.text}>
        {answer.text}
      </Text>
    </Paper>
  );
}
