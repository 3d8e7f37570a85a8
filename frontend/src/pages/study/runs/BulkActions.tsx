/** Cancel or retry the chosen runs. */
import { Button, Group } from "@mantine/core";
import { IconBan, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMayChange } from "../../../api/accounts";
import { changeRun } from "../../../api/runs";
import { studyKeys } from "../../../api/studies";
import type { StudyDetail } from "../../../api/types";
import { tell, tellError } from "../../../components/tell";
import { count } from "../../../format/numbers";
import type { RunRow } from "./rows";

export function BulkActions({ study, runs }: { study: StudyDetail; runs: RunRow[] }) {
  const mayChange = useMayChange();
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: async ({ verb, ids }: { verb: "cancel" | "retry"; ids: string[] }) => {
      for (const id of ids) await changeRun(id, verb);
      return ids.length;
    },
    onSuccess: (done, { verb }) =>
      tell(verb === "cancel" ? `${count(done, "run")} will stop.` : `${count(done, "run")} queued again.`),
    onError: tellError,
    onSettled: () => client.invalidateQueries({ queryKey: studyKeys.study(study.id) }),
  });
  const ids = (statuses: string[]) => runs.filter((run) => statuses.includes(run.status)).map((run) => run.id);
  const open = ids(["queued", "running"]);
  const ended = ids(["failed", "cancelled"]);
  if (!mayChange) return null;
  return (
    <Group gap={6}>
      {open.length > 0 && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconBan size={14} />}
          loading={act.isPending}
          onClick={() => act.mutate({ verb: "cancel", ids: open })}
        >
          Cancel {open.length}
        </Button>
      )}
      {ended.length > 0 && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconRefresh size={14} />}
          loading={act.isPending}
          onClick={() => act.mutate({ verb: "retry", ids: ended })}
        >
          Retry {ended.length}
        </Button>
      )}
    </Group>
  );
}
