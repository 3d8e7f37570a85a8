/** Who trains: one small card per worker, and how many runs wait. */
import { Group, Paper, Text, Tooltip } from "@mantine/core";
import { IconCpu } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { workers } from "../../api/catalogue";
import type { WorkerOut } from "../../api/types";
import { compact, count } from "../../format/numbers";
import { ago } from "../../format/times";
import classes from "./WorkerStrip.module.css";

export function WorkerStrip() {
  const { data } = useQuery(workers);
  const alive = data?.items.filter((worker) => worker.alive) ?? [];
  const queued = data?.queued_runs ?? 0;
  return (
    <Group gap={8} component="section" aria-label="Workers" mih={44}>
      {alive.map((worker) => (
        <WorkerCard key={worker.id} worker={worker} />
      ))}
      {data && alive.length === 0 && (
        <Text size="sm" c="dimmed">
          No worker is connected. Start one with <code>dropscope worker</code>, or everything at once with{" "}
          <code>dropscope up</code>.
        </Text>
      )}
      {queued > 0 && (
        <Text size="xs" c="dimmed" ml={4}>
          {count(queued, "run")} {queued === 1 ? "waits" : "wait"} for a worker
        </Text>
      )}
    </Group>
  );
}

function WorkerCard({ worker }: { worker: WorkerOut }) {
  const state = worker.draining ? "draining" : worker.busy ? "training" : "idle";
  const does = {
    draining: "finishing up",
    training: `trains ${count(worker.runs.length, "run")}`,
    idle: "idle",
  }[state];
  const speed = worker.tokens_per_second ? ` · ${compact(worker.tokens_per_second)} tokens/s` : "";
  return (
    <Tooltip label={`${worker.host} · ${worker.id} · heartbeat ${ago(worker.heartbeat_at)}`}>
      <Paper className={classes.card} radius="md" tabIndex={0}>
        <span className={classes.dot} data-state={state} />
        <IconCpu size={16} stroke={1.6} />
        <Text size="xs" component="div">
          <Text span inherit fw={600}>
            {worker.device}
          </Text>{" "}
          <Text span inherit c="dimmed">
            {does}
            {speed}
          </Text>
        </Text>
      </Paper>
    </Tooltip>
  );
}
