/** What happened to the run: each attempt with the reason of its end, then every change of status with its time. */
import { Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { runEvents } from "../../api/runs";
import type { EventOut, RunDetail } from "../../api/types";
import { clock, duration, moment } from "../../format/times";

export function RunHistory({ run }: { run: RunDetail }) {
  const { data: events } = useQuery(runEvents(run.id));
  return (
    <Stack>
      <Title order={2} size="h3">
        Attempts
      </Title>
      {run.attempts.length === 0 ? (
        <Text c="dimmed">No worker has claimed the run yet.</Text>
      ) : (
        <Table.ScrollContainer
          minWidth={620}
          type="native"
          role="group"
          tabIndex={0}
          aria-label="Attempts, scrolls sideways"
        >
          <Table>
            <Table.Thead>
              <Table.Tr>
                {["Started", "Worker", "From step", "From claim to end", "Ended", "Why"].map((name) => (
                  <Table.Th key={name}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {run.attempts.map((attempt) => (
                <Table.Tr key={attempt.fence}>
                  <Table.Td>{moment(attempt.started_at)}</Table.Td>
                  <Table.Td>{attempt.worker_id}</Table.Td>
                  <Table.Td>{attempt.from_step}</Table.Td>
                  <Table.Td>{took(attempt)}</Table.Td>
                  <Table.Td>{attempt.end ?? "still going"}</Table.Td>
                  <Table.Td>{attempt.message ?? ""}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {run.attempts.length > 0 && (
        <Text size="xs" c="dimmed">
          From claim to end, model and data are loaded and the run is judged and saved, too: of this,{" "}
          {duration(run.seconds)} went into training.
        </Text>
      )}
      <Title order={2} size="h3">
        Events
      </Title>
      {events ? <Events events={milestones(events)} /> : <Skeleton height={200} />}
    </Stack>
  );
}

function Events({ events }: { events: EventOut[] }) {
  return (
    <Table>
      <Table.Tbody>
        {events.map((event) => (
          <Table.Tr key={event.seq}>
            <Table.Td w={110} c="dimmed">
              {clock(event.at)}
            </Table.Td>
            <Table.Td>{inWords(event)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** Evaluations and changes of status; plain progress within one status is left out. */
export function milestones(events: EventOut[]): EventOut[] {
  let status: unknown;
  return events.filter((event) => {
    if (event.kind === "evaluation") return true;
    const changed = event.data.status !== status || event.data.cancel_requested === true;
    status = event.data.status;
    return changed;
  });
}

function inWords({ kind, data }: EventOut): string {
  if (kind === "evaluation") return `evaluated at step ${String(data.step)}`;
  const words = [data.cancel_requested ? "cancel requested" : String(data.status ?? kind)];
  if (data.step) words.push(`at step ${String(data.step)}`);
  if (data.message) words.push(`– ${String(data.message)}`);
  return words.join(" ");
}

function took({ started_at, ended_at }: { started_at: string; ended_at: string | null }): string {
  return ended_at ? duration((new Date(ended_at).getTime() - new Date(started_at).getTime()) / 1000) : "–";
}
