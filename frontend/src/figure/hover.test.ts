import { expect, test, vi } from "vitest";
import { joinHoverGroup, shareHover } from "./hover";
import type { Plotly } from "./plotly";

test("hovering one figure shows the same x in the others of its group, and only there", () => {
  const [losses, gap, other] = [0, 1, 2].map(() => document.body.appendChild(document.createElement("div")));
  const leave = joinHoverGroup("curves", losses!);
  joinHoverGroup("curves", gap!);
  joinHoverGroup("elsewhere", other!);
  const Fx = { hover: vi.fn(), unhover: vi.fn() };
  const plotly = { Fx } as unknown as Plotly;
  shareHover(plotly, "curves", losses!, 64);
  expect(Fx.hover.mock.calls).toEqual([[gap, { xval: 64 }, "xy", true]]);
  shareHover(plotly, "curves", losses!, undefined);
  expect(Fx.unhover.mock.calls).toEqual([[gap]]);
  leave();
  shareHover(plotly, "curves", gap!, 8);
  expect(Fx.hover).toHaveBeenCalledTimes(1);
});
