/** One run: its curves, what it was asked to do, what happened to it, and what it left behind. */
import { Container, Paper, Skeleton, Stack, Tabs } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { isGone } from "../../api/problem";
import { runDetail } from "../../api/runs";
import { studyDetail } from "../../api/studies";
import { PageError } from "../../components/PageError";
import { useStudyStream } from "../../live/useStudyStream";
import { RunArtifacts } from "./RunArtifacts";
import { RunConfig } from "./RunConfig";
import { RunCurves } from "./RunCurves";
import { RunExamples } from "./RunExamples";
import { RunHeader } from "./RunHeader";
import { RunHistory } from "./RunHistory";
import { RunLog } from "./RunLog";
import { RunNumbers } from "./RunNumbers";
import { RUN_TABS, type RunTab } from "./search";

const route = getRouteApi("/inside/runs/$runId");
const TITLES: Record<RunTab, string> = {
  curves: "Curves",
  examples: "Examples",
  config: "Configuration",
  log: "Log",
  history: "History",
  artifacts: "Artifacts",
};

export function RunPage() {
  const { runId } = route.useParams();
  const { tab = "curves" } = route.useSearch();
  const navigate = route.useNavigate();
  const run = useQuery(runDetail(runId));
  const study = useQuery({ ...studyDetail(run.data?.study_id ?? ""), enabled: run.data !== undefined });
  useStudyStream(study.data?.id, study.data?.event_seq);
  useDocumentTitle(run.data ? `${run.data.arm_label}, seed ${run.data.seed} · Dropscope` : "Dropscope");

  if (run.isError && (isGone(run.error) || !run.data)) return <PageError error={run.error} />;
  if (!run.data)
    return (
      <Container size="xl" py="md" aria-busy="true" aria-label="Loading the run">
        <Skeleton height={480} radius="lg" />
      </Container>
    );
  return (
    <Container size="xl" py="md">
      <Stack gap="md">
        <RunHeader run={run.data} study={study.data} />
        <RunNumbers run={run.data} />
        <Tabs
          value={tab}
          onChange={(next) => void navigate({ search: { tab: next as RunTab }, replace: true })}
          keepMounted={false}
        >
          <Tabs.List>
            {RUN_TABS.map((name) => (
              <Tabs.Tab key={name} value={name}>
                {TITLES[name]}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Paper p="md" mt="md">
            <Tabs.Panel value="curves">
              <RunCurves run={run.data} />
            </Tabs.Panel>
            <Tabs.Panel value="examples">
              <RunExamples run={run.data} />
            </Tabs.Panel>
            <Tabs.Panel value="config">
              <RunConfig run={run.data} />
            </Tabs.Panel>
            <Tabs.Panel value="log">
              <RunLog run={run.data} />
            </Tabs.Panel>
            <Tabs.Panel value="history">
              <RunHistory run={run.data} />
            </Tabs.Panel>
            <Tabs.Panel value="artifacts">
              <RunArtifacts run={run.data} />
            </Tabs.Panel>
          </Paper>
        </Tabs>
      </Stack>
    </Container>
  );
}
