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
          description={whatSeedsCanTell(draft.seeds, draft.arms.length - 1)}
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

/** What so many pairs can show at best: of two the spread is not known; the exact test reaches 2 / 2ⁿ, times the arms. */
export function whatSeedsCanTell(seeds: number, methods = 1): string {
  if (seeds < 2) return "One seed shows no spread: there will be no intervals and no tests.";
  if (seeds < 3) return "Two seeds decide nothing; verdicts begin at three.";
  const arms = Math.max(methods, 1);
  const enough = Math.ceil(Math.log2((2 * arms) / 0.05));
  const of = arms === 1 ? "one method" : `${arms} methods`;
  const verdict =
    seeds < enough
      ? `below ${enough} seeds, verdicts on ${of} rest on the t test, which takes differences between seeds to be normal.`
      : `enough for the exact test of ${of}, too.`;
  return `${seeds} paired seeds: ${verdict}`;
}
