import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Counts } from "../api/types";
import { StatusBadge } from "./StatusBadge";
import { countsInWords, StatusProgress } from "./StatusProgress";

const counts: Counts = { total: 40, succeeded: 12, running: 2, queued: 25, failed: 1, cancelled: 0 };

test("counts in words leave out what is zero", () => {
  expect(countsInWords(counts)).toBe("12 of 40 done · 2 running · 25 queued · 1 failed");
});

test("the bar has a share for each status and says all of it in words", () => {
  const { container } = render(
    <MantineProvider>
      <StatusProgress counts={counts} progress={0.35} />
    </MantineProvider>,
  );
  const widths = [...container.querySelectorAll<HTMLElement>("[style*='--progress-section']")].map((part) =>
    parseFloat(
      part.style.getPropertyValue("--progress-section-width") || part.style.getPropertyValue("--progress-section-size"),
    ),
  );
  expect(widths[0]).toBeCloseTo(30);
  expect(widths[1]).toBeCloseTo(2.5); // 35 % of the steps, less the 32.5 % of ended runs
  expect(screen.getByLabelText(countsInWords(counts))).toBeTruthy();
});

test("a status is a word, not only a colour; its reason can be reached by keyboard", () => {
  render(
    <MantineProvider>
      <StatusBadge status="failed" reason="The loss was not a number." />
    </MantineProvider>,
  );
  const badge = screen.getByText("failed");
  expect(badge.tabIndex).toBe(0);
});
