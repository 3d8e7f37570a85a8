/** What a person can change on a study; every answer is the study itself and goes straight into the cache. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { cancelStudy, changeStudy, extendStudy, studyKeys } from "../../api/studies";
import type { StudyDetail, StudyExtend, StudyPatch } from "../../api/types";
import { tell, tellError } from "../../components/tell";

export function useStudyChanges(id: string) {
  const client = useQueryClient();
  const keep = (study: StudyDetail) => client.setQueryData([...studyKeys.study(id), "detail"], study);
  const refresh = () => client.invalidateQueries({ queryKey: studyKeys.study(id) });

  const update = useMutation({
    mutationFn: (patch: StudyPatch) => changeStudy(id, patch),
    onSuccess: keep,
    onError: tellError,
  });
  const cancel = useMutation({
    mutationFn: () => cancelStudy(id),
    onSuccess: async ({ cancelled, stopping }) => {
      tell(`${cancelled} queued cancelled${stopping ? `, ${stopping} running stop at their next step` : ""}.`);
      await refresh();
    },
    onError: tellError,
  });
  const extend = useMutation({
    mutationFn: (more: StudyExtend) => extendStudy(id, more),
    onSuccess: async (study) => {
      keep(study);
      tell(`The study now has ${study.arm_count} arms × ${study.seeds} seeds; the new runs are queued.`);
      await refresh();
    },
    onError: tellError,
  });
  return { update, cancel, extend };
}
