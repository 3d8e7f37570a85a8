import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { PaperTable } from "./PaperTable";

test("the paper's order of methods is no evidence, and its ± is a standard deviation (B22)", () => {
  const rows = [{ method: "none", title: "No dropout", value: 0.9, spread: 0.01 }];
  const paper = { source: "Wang et al.", setting: "RoBERTa-large, RTE", metric: "accuracy", rows };
  render(
    <MantineProvider>
      <PaperTable paper={paper} />
    </MantineProvider>,
  );
  const words = screen.getByRole("region").textContent;
  expect(words).toContain("neither values nor their order are evidence");
  expect(words).toContain("within one standard deviation (the ± here)");
  expect(words).not.toContain("compare the order");
});
