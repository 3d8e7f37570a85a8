import { expect, test } from "vitest";
import { ApiProblem } from "./problem";
import { orPlainly, PLAIN_VIEW, type View } from "./view";

const GAP: View = { ...PLAIN_VIEW, metric: "gap" };

/** A server that refuses every metric but the loss, saying where it finds fault. */
const refusing = (pointer: string) => (view: View) =>
  view.metric === PLAIN_VIEW.metric
    ? Promise.resolve(view.metric)
    : Promise.reject(new ApiProblem(422, { errors: [{ pointer, detail: "was not recorded" }] }));

test("where the metric is refused, the loss is asked for", async () => {
  await expect(orPlainly(GAP, refusing("/metric"))).resolves.toBe(PLAIN_VIEW.metric);
  await expect(orPlainly(GAP, (view) => Promise.resolve(view.metric))).resolves.toBe("gap");
});

test("where the clock is refused, the last step is asked for; where both are, both are given up", async () => {
  const stopped: View = { ...GAP, clock: "stopped" };
  const asked: View[] = [];
  const older = (view: View) => {
    asked.push(view);
    const pointer = view.clock === "stopped" ? "/clock" : "/metric";
    return view.clock === "stopped" || view.metric === "gap"
      ? Promise.reject(new ApiProblem(422, { errors: [{ pointer, detail: "was not recorded" }] }))
      : Promise.resolve(view);
  };
  await expect(orPlainly(stopped, older)).resolves.toEqual(PLAIN_VIEW);
  expect(asked).toHaveLength(3);
});

test("any other refusal stays one", async () => {
  await expect(orPlainly(GAP, refusing("/baseline"))).rejects.toThrow();
  const never = () => Promise.reject(new ApiProblem(422, { errors: [{ pointer: "/metric", detail: "no" }] }));
  await expect(orPlainly(PLAIN_VIEW, never)).rejects.toThrow();
});
