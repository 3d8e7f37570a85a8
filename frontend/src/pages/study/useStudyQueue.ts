/** A study's place in the queue and on the disk: to the front, retry what failed, free its files. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../../api/client";
import { unwrap } from "../../api/problem";
import { runKeys } from "../../api/runs";
import { studyKeys } from "../../api/studies";
import { tell, tellError } from "../../components/tell";
import { bytes, count } from "../../format/numbers";

export function useStudyQueue(id: string) {
  const client = useQueryClient();
  const path = { params: { path: { study_id: id } } };
  const onSettled = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: studyKeys.study(id) }),
      client.invalidateQueries({ queryKey: studyKeys.lists }),
    ]);

  const front = useMutation({
    mutationFn: async () => unwrap(await api.POST("/api/v1/studies/{study_id}/front", path)),
    onSuccess: () => tell("Its runs are next: a worker takes them as soon as it is free."),
    onError: tellError,
    onSettled,
  });
  const retryFailed = useMutation({
    mutationFn: async () => unwrap(await api.POST("/api/v1/studies/{study_id}/retry", path)),
    onSuccess: ({ queued }) => tell(`${count(queued, "failed run")} queued again.`),
    onError: tellError,
    onSettled,
  });
  const purge = useMutation({
    mutationFn: async () => unwrap(await api.DELETE("/api/v1/studies/{study_id}/files", path)),
    onSuccess: (freed) => {
      tell(`${bytes(freed.bytes)} are free again; every number is kept.`);
      void client.invalidateQueries({ queryKey: runKeys.all });
    },
    onError: tellError,
    onSettled,
  });
  return { front, retryFailed, purge };
}
