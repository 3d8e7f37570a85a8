/** What can be done with a run: begin a study like its own, stop it, or train it again. A viewer has none of it. */
import { Button, Group } from "@mantine/core";
import { IconBan, IconCopy, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMayChange } from "../../api/accounts";
import { changeRun, runKeys } from "../../api/runs";
import type { RunDetail } from "../../api/types";
import { ButtonLink } from "../../components/links";
import { tell, tellError } from "../../components/tell";

export function RunActions({ run }: { run: RunDetail }) {
  const mayChange = useMayChange();
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: (verb: "cancel" | "retry") => changeRun(run.id, verb),
    onSuccess: (changed, verb) => {
      client.setQueryData([...runKeys.run(run.id), "detail"], changed);
      tell(verb === "retry" ? "The run is queued again." : "The run stops at its next step.");
    },
    onError: tellError,
  });
  if (!mayChange) return null;
  const open = run.status === "queued" || run.status === "running";
  return (
    <Group gap={6} justify="end" className="no-print">
      <ButtonLink
        to="/new"
        search={{ from: run.study_id }}
        size="xs"
        variant="default"
        leftSection={<IconCopy size={14} />}
      >
        Clone as new study
      </ButtonLink>
      {open ? (
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
      ) : (
        run.status !== "succeeded" && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconRefresh size={14} />}
            loading={act.isPending}
            onClick={() => act.mutate("retry")}
          >
            Retry
          </Button>
        )
      )}
    </Group>
  );
}
