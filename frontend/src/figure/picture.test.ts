import { expect, test } from "vitest";
import { nameOf, pictureOf } from "./picture";

const figure = {
  data: [{ name: "shown" }, { name: "hidden", visible: false as const }],
  layout: {
    title: { text: "Losses", subtitle: { text: "demo · baseline: No dropout · n = 5" } },
    showlegend: true,
    meta: { study_name: "My study! 🎛️" },
  },
};

test("a picture keeps title, baseline, n and legend, and only what is shown", () => {
  const { data, layout } = pictureOf(figure);
  expect(layout.title).toMatchObject(figure.layout.title);
  expect(layout).toMatchObject({ showlegend: true, width: 1100, height: 480 });
  expect(data).toEqual([{ name: "shown" }]);
  expect(nameOf("Losses", figure)).toBe("my-study-losses");
  expect(nameOf("Losses", { data: [], layout: {} })).toBe("losses");
});
