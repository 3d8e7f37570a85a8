/** A study whose runs start from this run's adapter: added to the catalogue once, then the form with it chosen. */
import { Button } from "@mantine/core";
import { IconPlayerTrackNext } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { adapters, addAdapter } from "../../api/catalogue";
import type { RunDetail } from "../../api/types";
import { tellError } from "../../components/tell";

export function GoOn({ run, artifactId }: { run: RunDetail; artifactId: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const add = useMutation({
    mutationFn: async () => {
      const known = await client.fetchQuery({ ...adapters, staleTime: 0 });
      const before = known.find(({ source }) => source.includes(run.id));
      if (before) return before;
      const title = `${run.arm_label}, seed ${run.seed}`.slice(0, 200);
      const made = await addAdapter(artifactId, title);
      client.setQueryData(adapters.queryKey, [...known, made]);
      return made;
    },
    onSuccess: ({ id }) => navigate({ to: "/new", search: { from: run.study_id, start: id } }),
    onError: tellError,
  });
  return (
    <Button
      variant="default"
      leftSection={<IconPlayerTrackNext size={15} />}
      loading={add.isPending}
      onClick={() => add.mutate()}
    >
      Go on from it
    </Button>
  );
}
