/** Saves a report; the answer is the report itself and goes straight into the cache. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { reportKey, saveReport, type ReportDraft } from "../../api/reports";
import { tellError } from "../../components/tell";

export function useSaveReport(studyId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (draft: ReportDraft) => saveReport(studyId, draft),
    onSuccess: (report) => client.setQueryData(reportKey(studyId), report),
    onError: tellError,
  });
}
