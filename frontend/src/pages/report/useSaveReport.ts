/** Saves a report; the answer is the report itself and goes straight into the cache. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../../api/client";
import { unwrap } from "../../api/problem";
import { reportKey, type ReportDraft } from "../../api/reports";
import { tellError } from "../../components/tell";

export function useSaveReport(studyId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (draft: ReportDraft) =>
      unwrap(
        await api.PUT("/api/v1/studies/{study_id}/report", { params: { path: { study_id: studyId } }, body: draft }),
      ),
    onSuccess: (report) => client.setQueryData(reportKey(studyId), report),
    onError: tellError,
  });
}
