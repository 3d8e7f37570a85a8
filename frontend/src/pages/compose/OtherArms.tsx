/** Arms of the draft that are more than a preset with rates: composed from cells, or with settings of their own. */
import { CloseButton, Group, Paper, Stack, Text } from "@mantine/core";
import type { ArmSpec } from "../../api/types";
import { Warnings } from "../../components/Warnings";
import { words } from "./composer";
import { armOf, withoutArm } from "./draft";
import type { PartProps } from "./part";
import { problemAt, sentencesAt } from "./problems";
import { rivalAt, RIVALS } from "./rivals";

export function OtherArms({ draft, onChange, problems, warnings }: PartProps) {
  // A preset's card or a rival's card stands for its first arm only; further arms of the same kind are listed here.
  const shown = new Set(RIVALS.map((rival) => rivalAt(draft, rival)));
  const others = draft.arms
    .map((arm, at) => ({ arm, at }))
    .filter(({ arm, at }) => !shown.has(at) && (!arm.method || armOf(draft, arm.method) !== at));
  if (others.length === 0) return null;
  return (
    <Stack gap={6} mt="sm">
      {others.map(({ arm, at }) => (
        <Paper key={at} radius="md" px="sm" py={6}>
          <Group justify="space-between" wrap="nowrap">
            <div>
              <Text size="sm" fw={550}>
                {armInWords(arm)}
              </Text>
              {problemAt(problems, `/arms/${at}`) && (
                <Text size="xs" c="var(--bad)">
                  {problemAt(problems, `/arms/${at}`)}
                </Text>
              )}
              <Warnings label={`Warnings of ${armInWords(arm)}`} sentences={sentencesAt(warnings, `/arms/${at}`)} />
            </div>
            <CloseButton aria-label={`Remove ${armInWords(arm)}`} onClick={() => onChange(withoutArm(draft, at))} />
          </Group>
        </Paper>
      ))}
    </Stack>
  );
}

/** "attention_logits by column 0.1 + hidden by element 0.1, kl". */
export function armInWords(arm: ArmSpec): string {
  if (arm.label) return arm.label;
  const rate = (value: unknown) => (typeof value === "number" ? ` ${value}` : "");
  const what =
    arm.method ??
    (arm.sites ?? [])
      .map((site) => `${words(String(site.position))} by ${String(site.structure)}${rate(site.rate)}`)
      .join(" + ");
  const kind = arm.consistency && arm.consistency.kind !== "none" ? `, ${arm.consistency.kind}` : "";
  return `${what}${kind}`;
}
