/** Every run of the study in the order of training, with its status, progress and attempts. */
import { Button, Group, Paper, Progress, Skeleton, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { memo, useState } from "react";
import { studyRuns } from "../../api/studies";
import type { RunSummary } from "../../api/types";
import { AnchorLink } from "../../components/links";
import { StatusBadge } from "../../components/StatusBadge";
import { duration } from "../../format/times";

const SHOWN_AT_FIRST = 40;

export function RunList({ studyId }: { studyId: string }) {
  const { data: runs } = useQuery(studyRuns(studyId));
  const [all, setAll] = useState(false);
  if (!runs) return <Skeleton height={300} radius="lg" />;
  const shown = all ? runs : runs.slice(0, SHOWN_AT_FIRST);
  return (
    <Paper p="md" component="section" aria-label="Runs">
      <Title order={2} mb="xs">
        Runs
      </Title>
      <Table.ScrollContainer minWidth={640} type="native" tabIndex={0} aria-label="Runs, scrolls sideways">
        <Table highlightOnHover layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="34%">Arm</Table.Th>
              <Table.Th w={64}>Seed</Table.Th>
              <Table.Th w={134}>Status</Table.Th>
              <Table.Th>Progress</Table.Th>
              <Table.Th w={84} ta="right">
                Attempts
              </Table.Th>
              <Table.Th w={96} ta="right">
                Time
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((run) => (
              <RunRow key={run.id} run={run} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {runs.length > shown.length && (
        <Button variant="subtle" size="xs" mt="xs" onClick={() => setAll(true)}>
          Show all {runs.length} runs
        </Button>
      )}
    </Paper>
  );
}

const RunRow = memo(function RunRow({ run }: { run: RunSummary }) {
  const steps = run.total_steps > 0 ? `${run.step} of ${run.total_steps} steps` : "not started";
  return (
    <Table.Tr>
      <Table.Td>
        <AnchorLink
          to="/runs/$runId"
          params={{ runId: run.id }}
          size="sm"
          truncate
          display="block"
          dir="auto"
          aria-label={`${run.arm_label}, seed ${run.seed}`}
        >
          {run.arm_label}
        </AnchorLink>
      </Table.Td>
      <Table.Td>{run.seed}</Table.Td>
      <Table.Td>
        <StatusBadge
          status={run.status}
          reason={run.cancel_requested && run.status === "running" ? "stopping" : run.message}
        />
      </Table.Td>
      <Table.Td>
        <Group gap={8} wrap="nowrap">
          <Progress value={100 * run.progress} size={6} flex={1} miw={60} aria-label={`Progress: ${steps}`} />
          <Text span size="xs" c="dimmed" w={104} ta="right">
            {steps}
          </Text>
        </Group>
      </Table.Td>
      <Table.Td ta="right">{run.attempt}</Table.Td>
      <Table.Td ta="right">{run.seconds > 0 ? duration(run.seconds) : "–"}</Table.Td>
    </Table.Tr>
  );
});
