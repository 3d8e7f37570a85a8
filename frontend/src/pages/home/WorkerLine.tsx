/** Who trains, by name, in one quiet line, and how many runs wait. */
import { Text, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { workers } from "../../api/catalogue";
import type { WorkerOut } from "../../api/types";
import { compact, count } from "../../format/numbers";
import { ago } from "../../format/times";
import classes from "./WorkerLine.module.css";

const NAMED = 4; // further ones are counted

export function WorkerLine() {
  const { data } = useQuery(workers);
  const alive = data?.items.filter((worker) => worker.alive) ?? [];
  const queued = data?.queued_runs ?? 0;
  return (
    <section aria-label="Workers" className={classes.line}>
      {alive.slice(0, NAMED).map((worker) => (
        <OneWorker key={worker.id} worker={worker} name={nameOf(worker, alive)} />
      ))}
      {alive.length > NAMED && <span>and {count(alive.length - NAMED, "more worker")}</span>}
      {data && alive.length === 0 && (
        <span>
          No worker is connected. Start one with <code>dropscope worker</code>, or everything at once with{" "}
          <code>dropscope up</code>.
        </span>
      )}
      {queued > 0 && (
        <span>
          {count(queued, "run")} {queued === 1 ? "waits" : "wait"} for a worker
        </span>
      )}
    </section>
  );
}

/** The machine's name, numbered where it has several workers. */
function nameOf(worker: WorkerOut, alive: WorkerOut[]): string {
  const there = alive.filter(({ host }) => host === worker.host);
  return there.length > 1 ? `${worker.host} ${there.indexOf(worker) + 1}` : worker.host;
}

function OneWorker({ worker, name }: { worker: WorkerOut; name: string }) {
  const state = worker.draining ? "draining" : worker.busy ? "training" : "idle";
  const does = {
    draining: "finishing up",
    training: `trains ${count(worker.runs.length, "run")}`,
    idle: "idle",
  }[state];
  const speed = worker.tokens_per_second ? `${compact(worker.tokens_per_second)} tokens/s · ` : "";
  return (
    <Tooltip label={`${speed}${worker.id} · heartbeat ${ago(worker.heartbeat_at)}`}>
      <span className={classes.worker} tabIndex={0}>
        <span className={classes.dot} data-state={state} />
        <Text span inherit fw={550} className={classes.name}>
          {name}
        </Text>{" "}
        {worker.device}, {does}
      </span>
    </Tooltip>
  );
}
