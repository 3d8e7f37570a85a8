/** Everything below the curves: each tab is one way to cut the study, and part of the address. */
import { Paper, Skeleton, Tabs } from "@mantine/core";
import { lazy, Suspense, useEffect, type ComponentType } from "react";
import type { Comparison } from "../../api/types";
import { ResultTable } from "./comparison/ResultTable";
import { TABS, type StudyTab } from "./search";
import classes from "./StudyTabs.module.css";
import type { TabProps } from "./tab";
import { useView } from "./useView";
import { at } from "../../api/root";

type Loading = Promise<{ default: ComponentType<TabProps> }>;

// The results are there at once; the code of the other tabs comes when the page has nothing else to do.
const LATER: Record<Exclude<StudyTab, "results">, () => Loading> = {
  heatmap: () => import("./comparison/HeatmapTab").then((module) => ({ default: module.HeatmapTab })),
  significance: () => import("./comparison/SignificanceTab").then((module) => ({ default: module.SignificanceTab })),
  train_inference: () =>
    import("./comparison/TrainInferenceTab").then((module) => ({ default: module.TrainInferenceTab })),
  capacity: () => import("./comparison/CapacityTab").then((module) => ({ default: module.CapacityTab })),
  framework: () => import("./comparison/FrameworkTab").then((module) => ({ default: module.FrameworkTab })),
  rows: () => import("./rows/RowsTab").then((module) => ({ default: module.RowsTab })),
  runs: () => import("./runs/RunsTab").then((module) => ({ default: module.RunsTab })),
};
const CONTENT: Record<StudyTab, ComponentType<TabProps>> = {
  results: ({ study, ...props }) => <ResultTable csv={at(`/api/v1/studies/${study.id}/export.csv`)} {...props} />,
  heatmap: lazy(LATER.heatmap),
  significance: lazy(LATER.significance),
  train_inference: lazy(LATER.train_inference),
  capacity: lazy(LATER.capacity),
  framework: lazy(LATER.framework),
  rows: lazy(LATER.rows),
  runs: lazy(LATER.runs),
};
const LATER_MS = 3000;

/** The tabs that say something of this study, and the one that is open: one rank has no grid, one place no map. */
export function tabsOf(comparison: Comparison | undefined, open: StudyTab) {
  const arms = comparison?.arms ?? [];
  const several = (values: unknown[]) => new Set(values.filter((value) => value !== null)).size > 1;
  const ranks = several(arms.map(({ rank }) => rank));
  const says: Partial<Record<StudyTab, boolean>> = {
    heatmap: ranks || several(arms.map(({ rate }) => rate)),
    capacity: ranks,
    framework: several(arms.flatMap(({ sites }) => sites.map(({ position, structure }) => `${position} ${structure}`))),
  };
  return TABS.filter(({ value }) => (says[value] ?? true) || value === open);
}

export function StudyTabs(props: TabProps) {
  const { search, change } = useView();
  const open = search.tab ?? "results";
  const Content = CONTENT[open];
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const load of Object.values(LATER)) load().catch(() => undefined); // the tab asks again when it is opened
    }, LATER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Paper p={{ base: "sm", sm: "md" }}>
      <Tabs value={open} onChange={(tab) => change({ tab: tab as StudyTab })}>
        <Tabs.List className={classes.list} mb="md">
          {tabsOf(props.comparison, open).map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={open}>
          <Suspense fallback={<Skeleton height={320} />}>
            <Content {...props} />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </Paper>
  );
}
