/** What the runs say of every held-out row: confidence and agreement for each arm, and the rows they differ most on. */
import { Button, Group, SegmentedControl, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { studyLedger, type LedgerPlace } from "../../../api/ledger";
import { sentence } from "../../../api/problem";
import { Explained } from "../comparison/Explained";
import { CLOCKS } from "../search";
import type { TabProps } from "../tab";
import { useView } from "../useView";
import { ConfidenceTable } from "./ConfidenceTable";
import { DisputedRows } from "./DisputedRows";
import { at } from "../../../api/root";

const SPLITS = [
  { value: "validation", label: "Validation rows" },
  { value: "test", label: "Test rows" },
] as const;

export function RowsTab({ study, comparison, hidden }: TabProps) {
  const { query } = useView();
  const tested = !!study.spec.test_rows;
  const [chosen, setClock] = useState<LedgerPlace["clock"]>();
  const clock = chosen ?? comparison?.verdict.clock ?? "last";
  const [split, setSplit] = useState<LedgerPlace["split"]>(tested ? "test" : "validation");
  const place = { clock, split, baseline: query.baseline };
  const { data: ledger, error } = useQuery(studyLedger(study.id, place));
  const arms = ledger?.arms.filter((arm) => arm.runs > 0 && !hidden.has(arm.arm_id)) ?? [];
  const files = at(`/api/v1/studies/${study.id}/ledger`);
  if (error) return <Empty>{sentence(error)}</Empty>;
  if (!ledger) return <Skeleton height={320} />;
  return (
    <Stack gap="md">
      <Group justify="space-between" align="start">
        <Group gap="xs">
          <SegmentedControl
            size="xs"
            aria-label="When runs are judged"
            data={CLOCKS.map(({ value, label }) => ({ value, label }))}
            value={clock}
            onChange={(value) => setClock(value as LedgerPlace["clock"])}
          />
          {tested && (
            <SegmentedControl
              size="xs"
              aria-label="Which rows"
              data={SPLITS.map(({ value, label }) => ({ value, label }))}
              value={split}
              onChange={(value) => setSplit(value as LedgerPlace["split"])}
            />
          )}
        </Group>
        {arms.length > 0 && (
          <Group gap={6}>
            {["csv", "parquet"].map((kind) => (
              <Button
                key={kind}
                component="a"
                href={`${files}.${kind}`}
                download
                size="xs"
                variant="default"
                leftSection={<IconDownload size={14} />}
              >
                {kind === "csv" ? "CSV" : "Parquet"} of every row
              </Button>
            ))}
          </Group>
        )}
      </Group>
      {ledger.note && (
        <Text size="sm" c="dimmed" role="status">
          {ledger.note}
        </Text>
      )}
      {arms.length === 0 ? (
        !ledger.note && (
          <Empty>
            {study.counts.queued + study.counts.running > 0
              ? "A run writes down what it says of every row when it has finished; none has yet."
              : "No run here has written down what it says of these rows at this clock."}
          </Empty>
        )
      ) : (
        <>
          <section aria-label="Answers and confidence">
            <Title order={2} mb={4}>
              Answers and confidence
            </Title>
            <Explained>
              Accuracy is how often an arm is right; the other columns are how true its confidence is. Calibration
              error: how far confidence is from how often it is right, with a 95 % interval over rows. Brier: the mean
              squared error of the probabilities. A temperature above 1 says that the model was too sure of itself; the
              loss after it is what is left once that is set right, fitted on rows that do not report it.
            </Explained>
            <ConfidenceTable arms={arms} />
          </section>
          <DisputedRows studyId={study.id} place={place} hidden={hidden} />
        </>
      )}
    </Stack>
  );
}

function Empty({ children }: { children: string }) {
  return (
    <Text c="dimmed" py="xl" ta="center" role="status">
      {children}
    </Text>
  );
}
