/** What training cost on further data sets: the sentence, learned against forgotten, and the numbers. */
import { Paper, Text, Title } from "@mantine/core";
import type { Comparison } from "../../../../api/types";
import type { FigureOf } from "../../../../api/view";
import { NamedFigure } from "../../../../figure/NamedFigure";
import { count } from "../../../../format/numbers";
import { Explained } from "../Explained";
import { ElsewhereTable } from "./ElsewhereTable";

interface ElsewhereProps {
  comparison: Comparison;
  figureOf: FigureOf;
  hidden: ReadonlySet<string>;
}

export function Elsewhere({ comparison, figureOf, hidden }: ElsewhereProps) {
  const found = comparison.elsewhere;
  if (!found) return null;
  const sets = found.sets.map(({ dataset, split, rows }) => `${count(rows, `${split} row`)} of ${dataset}`);
  const inNats = comparison.loss_unit.startsWith("nats");
  return (
    <Paper p="md" component="section" aria-label="What it cost elsewhere">
      <Title order={2} mb={4}>
        What it cost elsewhere
      </Title>
      {found.sets.map(({ dataset, sentence }) => (
        <Text key={dataset} fw={550} maw={900} mb={6}>
          {sentence}
        </Text>
      ))}
      <Explained>
        Every run was also measured on {sets.join(" and ")}, which nothing was trained on: before its first step, along
        its way and at its end. A loss that rises there is what was forgotten.
        {inNats && " Nats are the unit of a loss: 0.69 is a coin toss between two."}
      </Explained>
      <NamedFigure
        figureOf={figureOf}
        hidden={hidden}
        name="elsewhere"
        title="Learned against forgotten"
        reading="Right: more learned of its own task. Up: more forgotten elsewhere. Filled: at the last step. Open: stopped in time. Small: single seeds."
        height={400}
      />
      {found.sets.map((set) => (
        <ElsewhereTable key={set.dataset} set={set} comparison={comparison} hidden={hidden} />
      ))}
      <Text size="xs" c="dimmed" mt="sm">
        {found.note}
      </Text>
    </Paper>
  );
}
