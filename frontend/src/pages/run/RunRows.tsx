/** Single held-out rows: whether this run is right, how probable that was to it, and the baseline's run of this seed. */
import { Group, SegmentedControl, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { rowsOfRuns, type RowOrder } from "../../api/ledger";
import { comparison } from "../../api/studies";
import type { RunDetail } from "../../api/types";
import { PLAIN_VIEW } from "../../api/view";
import { RowPaper } from "../study/rows/RowPaper";

const SHOWN = 10;

export function RunRows({ run }: { run: RunDetail }) {
  const [order, setOrder] = useState<RowOrder>("worst");
  const compared = useQuery(comparison(run.study_id, PLAIN_VIEW));
  const baseline = compared.data?.arms.find(({ is_baseline }) => is_baseline);
  const same = baseline?.runs.find((one) => one.seed === run.seed && one.finished && one.run_id !== run.id);
  const ids = same ? [run.id, same.run_id] : [run.id];
  const rows = useQuery({ ...rowsOfRuns(run.study_id, ids, order, SHOWN), enabled: compared.data !== undefined });
  if (rows.isError || rows.data?.items.length === 0) return null; // made before runs kept what they say of each row
  return (
    <section aria-label="Row by row">
      <Group justify="space-between" mb="xs" gap="xs">
        <Title order={3} size="h4">
          Row by row{same ? ", beside the baseline’s run of this seed" : ""}
        </Title>
        <SegmentedControl
          size="xs"
          aria-label="Which rows"
          value={order}
          onChange={(next) => setOrder(next as RowOrder)}
          data={[
            { value: "worst", label: "Greatest loss" },
            { value: "best", label: "Least loss" },
            ...(same ? [{ value: "apart", label: "They differ most" }] : []),
          ]}
        />
      </Group>
      {rows.data ? (
        <Stack gap="sm">
          {rows.data.items.map((row) => (
            <RowPaper key={row.row} row={row} />
          ))}
          <Text size="xs" c="dimmed">
            The share is the probability that each run gives to the right answer.
          </Text>
        </Stack>
      ) : (
        <Skeleton height={240} />
      )}
    </section>
  );
}
