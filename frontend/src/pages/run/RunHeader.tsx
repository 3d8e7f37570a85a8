/** Where the run stands and what can be done with it. */
import { Alert, Box, Button, Group, Progress, Text, Title } from "@mantine/core";
import { IconArrowLeft, IconBan, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../../api/client";
import { useMayChange } from "../../api/me";
import { unwrap } from "../../api/problem";
import { runKeys } from "../../api/runs";
import type { RunDetail, StudyDetail } from "../../api/types";
import { AnchorLink } from "../../components/links";
import { StatusBadge } from "../../components/StatusBadge";
import { tell, tellError } from "../../components/tell";
import { duration } from "../../format/times";
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
      <Group justify="space-between" wrap="nowrap" align="start" mt={2}>
        <Box miw={0}>
          <Title order={1} dir="auto" lineClamp={2}>
            {run.arm_label}, seed {run.seed}
          </Title>
          <Group gap={8} mt={4}>
            <StatusBadge status={run.status} />
            <Text size="sm" c="dimmed" className="number">
              {run.total_steps > 0 ? `step ${run.step} of ${run.total_steps}` : "not started"}
              {run.seconds > 0 && ` · ${duration(run.seconds)}`}
              {timeToGo(run)}
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
      {run.message && run.status !== "succeeded" && (
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

function RunActions({ run }: { run: RunDetail }) {
  const mayChange = useMayChange();
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: async (verb: "cancel" | "retry") =>
      unwrap(await api.POST(`/api/v1/runs/{run_id}/${verb}`, { params: { path: { run_id: run.id } } })),
    onSuccess: (changed, verb) => {
      client.setQueryData([...runKeys.run(run.id), "detail"], changed);
      tell(verb === "retry" ? "The run is queued again." : "The run stops at its next step.");
    },
    onError: tellError,
  });
  if (!mayChange) return null;
  if (run.status === "queued" || run.status === "running")
    return (
      <Button
        size="xs"
        variant="default"
        color="red"
        leftSection={<IconBan size={14} />}
        disabled={run.cancel_requested}
        loading={act.isPending}
        onClick={() => act.mutate("cancel")}
      >
        {run.cancel_requested ? "Stopping" : "Cancel"}
      </Button>
    );
  if (run.status === "succeeded") return null;
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconRefresh size={14} />}
      loading={act.isPending}
      onClick={() => act.mutate("retry")}
    >
      Retry
    </Button>
  );
}
