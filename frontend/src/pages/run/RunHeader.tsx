/** Where the run stands and what can be done with it. */
import { Alert, Box, Group, Progress, Text, Title } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import type { RunDetail, StudyDetail } from "../../api/types";
import { AnchorLink } from "../../components/links";
import { StatusBadge } from "../../components/StatusBadge";
import { duration } from "../../format/times";
import { RunActions } from "./RunActions";
import classes from "./RunHeader.module.css";

const FAILURES: Record<NonNullable<RunDetail["failure_code"]>, string> = {
  worker_lost: "Its worker vanished again and again",
  trainer_crashed: "The training process ended without a word",
  loss_nan: "The loss was not a number",
  out_of_memory: "The memory did not suffice",
  disk_full: "The disk is full",
  bad_input: "Model or data could not be used",
  time_limit: "It took longer than it may",
  internal: "Something went wrong inside Dropscope",
};

export function RunHeader({ run, study }: { run: RunDetail; study: StudyDetail | undefined }) {
  return (
    <Box component="header">
      <AnchorLink to="/studies/$studyId" params={{ studyId: run.study_id }} size="sm" c="dimmed">
        <Group component="span" gap={4} wrap="nowrap" display="inline-flex">
          <IconArrowLeft size={14} /> {study?.name ?? "The study"}
        </Group>
      </AnchorLink>
      <Group justify="space-between" align="start" mt={2} gap="xs">
        <Box miw={0} flex="1 1 260px">
          <Title order={1} dir="auto" lineClamp={2} title={`${run.arm_label}, seed ${run.seed}`}>
            {run.arm_label}, seed {run.seed}
          </Title>
          <Group gap={8} mt={4}>
            <StatusBadge status={run.status} />
            <Text size="sm" c="dimmed" className="number">
              {run.total_steps > 0 ? `step ${run.step} of ${run.total_steps}` : "not started"}
              {run.seconds > 0 && ` · ${duration(run.seconds)} of training`}
              {timeToGo(run)}
              {run.started_by && ` · started by ${run.started_by}`}
            </Text>
          </Group>
        </Box>
        <RunActions run={run} />
      </Group>
      <Progress
        value={100 * run.progress}
        size={6}
        mt="sm"
        aria-label={`Progress: step ${run.step} of ${run.total_steps}`}
      />
      {run.message && (
        <Alert
          mt="sm"
          py="xs"
          className={classes.why}
          data-status={run.status}
          color={run.status === "failed" ? "red" : "gray"}
          title={run.failure_code ? FAILURES[run.failure_code] : undefined}
        >
          {run.message}
        </Alert>
      )}
    </Box>
  );
}

function timeToGo(run: RunDetail): string {
  if (run.status !== "running" || run.step === 0 || run.seconds === 0) return "";
  return ` · about ${duration((run.seconds / run.step) * (run.total_steps - run.step))} to go`;
}
