/** Everything below the curves: each tab is one way to cut the study, and part of the address. */
import { Paper, Skeleton, Tabs } from "@mantine/core";
import { lazy, Suspense, type ComponentType } from "react";
import type { FigureOf } from "../../api/studies";
import type { Comparison, StudyDetail } from "../../api/types";
import { ResultTable } from "./ResultTable";
import { TABS, type StudyTab } from "./search";
import classes from "./StudyTabs.module.css";
import { useView } from "./useView";

export interface TabProps {
  study: StudyDetail;
  comparison: Comparison | undefined;
  figureOf: FigureOf;
  hidden: ReadonlySet<string>;
}

// The results are there at once; what is behind another tab comes when it is opened.
const CONTENT: Record<StudyTab, ComponentType<TabProps>> = {
  results: ResultTable,
  heatmap: lazy(() => import("./HeatmapTab").then((module) => ({ default: module.HeatmapTab }))),
  significance: lazy(() => import("./SignificanceTab").then((module) => ({ default: module.SignificanceTab }))),
  train_inference: lazy(() => import("./TrainInferenceTab").then((module) => ({ default: module.TrainInferenceTab }))),
  capacity: lazy(() => import("./CapacityTab").then((module) => ({ default: module.CapacityTab }))),
  framework: lazy(() => import("./FrameworkTab").then((module) => ({ default: module.FrameworkTab }))),
  runs: lazy(() => import("./runs/RunsTab").then((module) => ({ default: module.RunsTab }))),
};

export function StudyTabs(props: TabProps) {
  const { search, change } = useView();
  const open = search.tab ?? "results";
  const Content = CONTENT[open];
  return (
    <Paper p={{ base: "sm", sm: "md" }}>
      <Tabs value={open} onChange={(tab) => change({ tab: tab as StudyTab })}>
        <Tabs.List className={classes.list} mb="md">
          {TABS.map(({ value, label }) => (
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
