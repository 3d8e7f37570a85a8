/** What a share link shows to whoever has it: a study's answers, charts and table, nothing that can be changed. */
import { Badge, Container, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { sharedComparison, sharedFigure, sharedStudy } from "../../api/shared";
import type { SharedStudy } from "../../api/types";
import { PageError } from "../../components/PageError";
import { CopyText } from "../../components/CopyText";
import { CountsText } from "../../components/StatusProgress";
import { count } from "../../format/numbers";
import { moment } from "../../format/times";
import { Prose } from "../report/Prose";
import { Answers } from "../study/comparison/Answers";
import { ArmRail } from "../study/comparison/ArmRail";
import { Charts } from "../study/comparison/Charts";
import { ElsewhereLater } from "../study/comparison/elsewhere/Later";
import { Forest } from "../study/comparison/Forest";
import { hasPicture } from "../study/comparison/forest";
import { ResultTable } from "../study/comparison/ResultTable";
import { NotRecorded } from "../study/NotRecorded";
import columns from "../study/StudyPage.module.css";
import { lookOf } from "../study/search";
import { rankedBy, useView } from "../study/useView";
import { useSharedStream } from "./useSharedStream";
import { at } from "../../api/root";

const route = getRouteApi("/open/s/$secret");
const NextActions = lazy(() =>
  import("../study/comparison/NextActions").then((module) => ({ default: module.NextActions })),
);

export function SharedPage() {
  const { secret } = route.useParams();
  const { search, query, hidden } = useView();
  const shared = useQuery({ ...sharedStudy(secret), staleTime: Infinity });
  const compared = useQuery({ ...sharedComparison(secret, query), enabled: shared.isSuccess });
  const metric = rankedBy(query.metric, compared);
  const figureOf = (name: string) => sharedFigure(secret, name, query, lookOf(name, search));
  useSharedStream(secret, shared.data?.mode === "live" ? shared.data.event_seq : undefined);
  useDocumentTitle(shared.data ? `${shared.data.name} · Dropscope` : "Dropscope");
  if (shared.isError) return <PageError error={shared.error} />;
  if (!shared.data)
    return (
      <Container fluid maw={1760} py="md" aria-busy="true" aria-label="Loading the study">
        <Skeleton height={560} radius="lg" />
      </Container>
    );
  return (
    <Container fluid maw={1760} py="md" px={{ base: "sm", sm: "lg" }}>
      <Stack gap="md">
        <Header shared={shared.data} />
        {shared.data.report && (
          <Paper p="md" component="section" aria-label="Report">
            <Title order={2} mb="xs" dir="auto">
              {shared.data.report.title}
            </Title>
            <Prose html={shared.data.report.text_html} />
          </Paper>
        )}
        <Answers
          verdict={compared.data?.verdict}
          answers={compared.data?.answers}
          picture={compared.data && hasPicture(compared.data) && <Forest comparison={compared.data} hidden={hidden} />}
          actions={
            compared.data && (
              <Suspense fallback={<Skeleton height={36} />}>
                <NextActions comparison={compared.data} study={undefined} />
              </Suspense>
            )
          }
        />
        <div className={columns.columns}>
          <ArmRail comparison={compared.data} baselineId={compared.data?.baseline_arm_id ?? null} metric={metric} />
          <Stack gap="md" miw={0}>
            <NotRecorded asked={query} shown={compared.isPlaceholderData ? undefined : compared.data} />
            <Charts comparison={compared.data} figureOf={figureOf} hidden={hidden} />
            <ElsewhereLater comparison={compared.data} figureOf={figureOf} hidden={hidden} />
            <Paper p="md">
              <ResultTable
                csv={at(`/api/v1/shared/${encodeURIComponent(secret)}/export.csv`)}
                comparison={compared.data}
                hidden={hidden}
                figureOf={figureOf}
              />
            </Paper>
            <Paper p="md" component="section" aria-label="Exact set-up">
              <Title order={2} mb="xs">
                Exact set-up
              </Title>
              <CopyText text={JSON.stringify(shared.data.spec, null, 2)} label="The study as JSON" />
            </Paper>
          </Stack>
        </div>
      </Stack>
    </Container>
  );
}

function Header({ shared }: { shared: SharedStudy }) {
  return (
    <header>
      <Title order={1} dir="auto" style={{ overflowWrap: "anywhere" }}>
        {shared.name}
      </Title>
      <Group gap={8}>
        <Badge size="sm" variant="default" tt="none">
          {shared.mode === "frozen" ? `frozen ${moment(shared.shared_at)}` : "live"}
        </Badge>
        <Text size="sm" c="dimmed">
          {shared.model} × {shared.dataset} · {count(shared.arms, "arm")}
          {shared.author && ` · shared by ${shared.author}`}
        </Text>
      </Group>
      <CountsText counts={shared.counts} />
    </header>
  );
}
