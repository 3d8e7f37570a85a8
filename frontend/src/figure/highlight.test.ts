import { expect, test, vi } from "vitest";
import { light, onLit } from "./highlight";

test("pointing at an arm's name in any list tells the charts, once for each arm", () => {
  document.body.innerHTML = '<div data-arm="a"><b id="name"></b></div><p id="other"></p>';
  const told = vi.fn();
  const end = onLit(told);
  const over = (id: string) => document.getElementById(id)!.dispatchEvent(new Event("pointerover", { bubbles: true }));
  over("name");
  over("name");
  over("other");
  expect(told.mock.calls).toEqual([["a"], [undefined]]);
  end();
  over("name");
  expect(told).toHaveBeenCalledTimes(2);
});

test("the other arms recede, the baseline's grey lines and what belongs to no arm do not", () => {
  const chart = document.createElement("div");
  const drawn = [{ arm: "a", role: "x" }, { arm: "b", role: "x" }, { arm: "n", role: "baseline x" }, { role: "key" }];
  const traces = drawn.map((meta) => {
    const trace = document.createElement("g");
    trace.className = "trace";
    Object.assign(trace, { __data__: [{ trace: { meta } }] });
    return chart.appendChild(trace);
  });
  const opacities = () => traces.map((trace) => trace.style.opacity);
  light(chart, "a");
  expect(opacities()).toEqual(["", "0.15", "", ""]);
  light(chart, "not drawn here");
  expect(opacities()).toEqual(["", "", "", ""]);
});
