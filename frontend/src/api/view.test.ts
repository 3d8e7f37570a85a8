import { expect, test } from "vitest";
import { ApiProblem } from "./problem";
import { orByLoss, PLAIN_VIEW, type View } from "./view";

const GAP: View = { ...PLAIN_VIEW, metric: "gap" };

/** A server that refuses every metric but the loss, saying where it finds fault. */
const refusing = (pointer: string) => (view: View) =>
  view.metric === PLAIN_VIEW.metric
    ? Promise.resolve(view.metric)
    : Promise.reject(new ApiProblem(422, { errors: [{ pointer, detail: "was not recorded" }] }));

test("where the metric is refused, the loss is asked for", async () => {
  await expect(orByLoss(GAP, refusing("/metric"))).resolves.toBe(PLAIN_VIEW.metric);
  await expect(orByLoss(GAP, (view) => Promise.resolve(view.metric))).resolves.toBe("gap");
});

test("any other refusal stays one", async () => {
  await expect(orByLoss(GAP, refusing("/baseline"))).rejects.toThrow();
  const never = () => Promise.reject(new ApiProblem(422, { errors: [{ pointer: "/metric", detail: "no" }] }));
  await expect(orByLoss(PLAIN_VIEW, never)).rejects.toThrow();
});
