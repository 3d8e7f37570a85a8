/** Plain LoRA with another setting, a click each: what a method must beat to be worth its trouble. */
import { Checkbox, Paper, SimpleGrid, Text, Title } from "@mantine/core";
import classes from "./MethodCard.module.css";
import type { PartProps } from "./part";
import { problemAt } from "./problems";
import { inWords, rivalAt, RIVALS, toggleRival, whyNoRival } from "./rivals";

export function FreeRivals({ draft, onChange, problems }: PartProps) {
  return (
    <section aria-label="Free rivals">
      <Title order={3} mt="md">
        Free rivals: cost no method
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        Plain LoRA with one other setting. A method that does not beat them is not worth its trouble.
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm">
        {RIVALS.map((rival) => {
          const at = rivalAt(draft, rival);
          const whyNot = at < 0 ? whyNoRival(draft, rival) : undefined;
          return (
            <Paper key={rival.axis} className={classes.card} radius="md" data-chosen={at >= 0 || undefined}>
              <Checkbox
                checked={at >= 0}
                disabled={whyNot !== undefined}
                onChange={() => onChange(toggleRival(draft, rival))}
                label={rival.title}
                classNames={{ body: classes.body, label: classes.title, labelWrapper: classes.words }}
                description={whyNot ?? `No dropout, ${inWords(draft, rival)}.`}
                error={problemAt(problems, `/arms/${at}`)}
              />
            </Paper>
          );
        })}
      </SimpleGrid>
    </section>
  );
}
