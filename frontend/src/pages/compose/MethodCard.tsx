/** One method: what it drops in a sentence, chosen or not, and at which rates. */
import { Checkbox, Chip, Group, NumberInput, Paper, Text } from "@mantine/core";
import { useState } from "react";
import type { ArmSpec, MethodOut } from "../../api/types";
import { ArmMark } from "../../components/ArmMark";
import { Warnings } from "../../components/Warnings";
import { asList } from "./draft";
import classes from "./MethodCard.module.css";

const COMMON_RATES = [0.05, 0.1, 0.2];

interface MethodCardProps {
  preset: MethodOut;
  arm: ArmSpec | undefined;
  problem: string | undefined;
  warnings: string[];
  onToggle: () => void;
  onRates: (rates: number[]) => void;
}

export function MethodCard({ preset, arm, problem, warnings, onToggle, onRates }: MethodCardProps) {
  const rates = asList(arm?.rate);
  return (
    <Paper className={classes.card} radius="md" data-chosen={arm !== undefined || undefined}>
      <Checkbox
        checked={arm !== undefined}
        onChange={onToggle}
        classNames={{ body: classes.body, label: classes.title, labelWrapper: classes.words }}
        label={
          <>
            <ArmMark arm={{ colour_key: preset.name }} />
            {preset.title}
          </>
        }
        description={preset.sentence}
        error={problem}
      />
      {arm && preset.default_rate !== null && (
        <Group gap={5} mt={10} role="group" aria-label={`Rates of ${preset.title}`}>
          {[...new Set([...COMMON_RATES, ...rates])]
            .sort((a, b) => a - b)
            .map((rate) => (
              <Chip
                key={rate}
                size="xs"
                variant="light"
                checked={rates.includes(rate)}
                onChange={(on) => onRates(on ? [...rates, rate] : rates.filter((one) => one !== rate))}
              >
                {rate}
              </Chip>
            ))}
          <OtherRate onAdd={(rate) => onRates([...rates, rate])} title={preset.title} />
        </Group>
      )}
      <Warnings label={`Warnings of ${preset.title}`} sentences={warnings} />
      {preset.cost_factor > 1 && (
        <Text size="xs" c="dimmed" mt={8}>
          A step costs {preset.cost_factor} × plain LoRA.
        </Text>
      )}
    </Paper>
  );
}

function OtherRate({ onAdd, title }: { onAdd: (rate: number) => void; title: string }) {
  const [text, setText] = useState<string | number>("");
  const add = () => {
    const rate = Number(text);
    if (text !== "" && rate >= 0 && rate < 1) onAdd(rate);
    setText("");
  };
  return (
    <NumberInput
      size="xs"
      w={66}
      hideControls
      min={0}
      max={0.99}
      placeholder="other"
      aria-label={`Another rate for ${title}`}
      value={text}
      onChange={setText}
      onBlur={add}
      onKeyDown={(event) => event.key === "Enter" && add()}
    />
  );
}
