/** Making the data set: asked for again while the server still reads a large file, or when its answer got lost. */
import { api } from "../../api/client";
import { ApiProblem, unwrap } from "../../api/problem";
import type { CommitPlan, DatasetFacts } from "../../api/types";

const TRIES = 400; // at least ten minutes

export async function commit(uploadId: string, body: CommitPlan): Promise<DatasetFacts> {
  for (let left = TRIES; ; left -= 1) {
    try {
      const answer = await api.POST("/api/v1/uploads/{upload_id}/commit", {
        params: { path: { upload_id: uploadId } },
        body,
      });
      return unwrap(answer) as DatasetFacts;
    } catch (error) {
      const again = error instanceof TypeError || (error instanceof ApiProblem && error.status === 503);
      if (!again || left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
}
