/** A study's place in the queue and on the disk: to the front, retry what failed, free its files. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { runKeys } from "../../api/runs";
import { bringToFront, deleteStudyFiles, retryFailedRuns, studyKeys } from "../../api/studies";
import { tell, tellError } from "../../components/tell";
import { bytes, count } from "../../format/numbers";

export function useStudyQueue(id: string) {
  const client = useQueryClient();
  const onSettled = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: studyKeys.study(id) }),
      client.invalidateQueries({ queryKey: studyKeys.lists }),
    ]);

  const front = useMutation({
    mutationFn: () => bringToFront(id),
    onSuccess: () => tell("Its runs are next: a worker takes them as soon as it is free."),
    onError: tellError,
    onSettled,
  });
  const retryFailed = useMutation({
    mutationFn: () => retryFailedRuns(id),
    onSuccess: ({ queued }) => tell(`${count(queued, "failed run")} queued again.`),
    onError: tellError,
    onSettled,
  });
  const purge = useMutation({
    mutationFn: () => deleteStudyFiles(id),
    onSuccess: (freed) => {
      tell(`${bytes(freed.bytes)} are free again; every number is kept.`);
      void client.invalidateQueries({ queryKey: runKeys.all });
    },
    onError: tellError,
    onSettled,
  });
  return { front, retryFailed, purge };
}
