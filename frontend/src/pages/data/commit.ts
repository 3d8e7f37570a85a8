/** Making the data set: asked for again while the server still reads a large file, or when its answer got lost. */
import { commitUpload } from "../../api/datasets";
import { ApiProblem } from "../../api/problem";
import type { CommitPlan, DatasetFacts } from "../../api/types";

const TRIES = 400; // at least ten minutes

export async function commit(uploadId: string, body: CommitPlan): Promise<DatasetFacts> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await commitUpload(uploadId, body);
    } catch (error) {
      const again = error instanceof TypeError || (error instanceof ApiProblem && error.status === 503);
      if (!again || left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
}
