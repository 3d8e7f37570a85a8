/** How many seeds, and at which ranks: what decides how much the study can tell. */
import { Chip, Group, Input, NumberInput, SimpleGrid } from "@mantine/core";
import { commonRanks, setRanks } from "./draft";
import type { PartProps } from "./part";
import { problemAt } from "./problems";
import { Section } from "./Section";

const COMMON_RANKS = [2, 4, 8, 16, 32, 64];

export function SeedsAndRanks({ draft, onChange, problems }: PartProps) {
  const ranks = commonRanks(draft);
  return (
    <Section title="Seeds and ranks">
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <NumberInput
          label="Seeds"
          description={whatSeedsCanTell(draft.seeds)}
          min={1}
          max={64}
          value={draft.seeds}
          onChange={(value) => typeof value === "number" && onChange({ ...draft, seeds: value })}
          error={problemAt(problems, "/seeds")}
          inputWrapperOrder={["label", "input", "error", "description"]}
        />
        <Input.Wrapper
          label="LoRA rank"
          labelElement="div"
          description="Several ranks train every method at each of them; alpha follows as twice the rank."
          error={problemAt(problems, "/lora")}
          inputWrapperOrder={["label", "input", "error", "description"]}
        >
          <Group gap={6} mih={36} role="group" aria-label="LoRA ranks">
            {[...new Set([...COMMON_RANKS, ...ranks])]
              .sort((a, b) => a - b)
              .map((rank) => (
                <Chip
                  key={rank}
                  size="xs"
                  variant="light"
                  checked={ranks.includes(rank)}
                  onChange={(on) =>
                    onChange(setRanks(draft, on ? [...ranks, rank] : ranks.filter((one) => one !== rank)))
                  }
                >
                  {rank}
                </Chip>
              ))}
          </Group>
        </Input.Wrapper>
      </SimpleGrid>
    </Section>
  );
}

/** What the exact sign-flip test of n pairs can reach at best: 2 / 2ⁿ. */
export function whatSeedsCanTell(seeds: number): string {
  if (seeds < 2) return "One seed shows no spread: there will be no intervals and no tests.";
  const smallest = 2 / 2 ** seeds;
  const p = smallest < 0.001 ? smallest.toExponential(1) : String(Number(smallest.toPrecision(2)));
  const verdict = smallest > 0.05 ? "which cannot reach 0.05; six seeds can" : "enough to reach 0.05";
  return `With ${seeds} paired seeds the smallest p of the exact test is ${p}, ${verdict}.`;
}
