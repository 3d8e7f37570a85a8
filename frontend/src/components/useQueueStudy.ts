/** Posts a study and goes to its page; pressing twice queues it once. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { ApiProblem } from "../api/problem";
import { makeStudy, studyKeys } from "../api/studies";
import type { StudySpec } from "../api/types";
import { tell, tellError } from "./tell";

export function useQueueStudy() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const key = useRef(freshKey());
  return useMutation({
    mutationFn: (spec: StudySpec) => makeStudy(spec, key.current),
    onSuccess: (study) => {
      key.current = freshKey();
      void client.invalidateQueries({ queryKey: studyKeys.lists });
      tell("The study is queued; its runs start as soon as a worker is free.");
      void navigate({ to: "/studies/$studyId", params: { studyId: study.id } });
    },
    onError: (error) => {
      // A refused study may be changed and posted anew; one whose answer was lost must not be queued twice.
      if (error instanceof ApiProblem) key.current = freshKey();
      tellError(error);
    },
  });
}

/** 128 random bits; `randomUUID` exists on secure origins only, and a team may serve plain HTTP at home. */
function freshKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
