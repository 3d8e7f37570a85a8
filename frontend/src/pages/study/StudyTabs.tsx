/** Everything below the curves: each tab is one way to cut the study, and part of the address. */
import { Paper, Tabs } from "@mantine/core";
import type { View } from "../../api/studies";
import type { Comparison, StudyDetail } from "../../api/types";
import { CapacityTab } from "./CapacityTab";
import { FrameworkTab } from "./FrameworkTab";
import { HeatmapTab } from "./HeatmapTab";
import { ResultTable } from "./ResultTable";
import { RunsTab } from "./runs/RunsTab";
import { TABS, type StudyTab } from "./search";
import { SignificanceTab } from "./SignificanceTab";
import classes from "./StudyTabs.module.css";
import { TrainInferenceTab } from "./TrainInferenceTab";
import { useView } from "./useView";

export interface TabProps {
  study: StudyDetail;
  comparison: Comparison | undefined;
  query: View;
  hidden: ReadonlySet<string>;
}

const CONTENT: Record<StudyTab, (props: TabProps) => React.ReactNode> = {
  results: ResultTable,
  heatmap: HeatmapTab,
  significance: SignificanceTab,
  train_inference: TrainInferenceTab,
  capacity: CapacityTab,
  framework: FrameworkTab,
  runs: RunsTab,
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
          <Content {...props} />
        </Tabs.Panel>
      </Tabs>
    </Paper>
  );
}
