/** A study: what it found in words, the curves behind the words, and every number and run below them. */
import { Box, Container, Skeleton, Stack } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { isGone } from "../../api/problem";
import { comparison, figure, studyDetail } from "../../api/studies";
import { PageError } from "../../components/PageError";
import { useStudyStream } from "../../live/useStudyStream";
import { Answers } from "./comparison/Answers";
import { ArmRail } from "./comparison/ArmRail";
import { Charts } from "./comparison/Charts";
import { ElsewhereLater } from "./comparison/elsewhere/Later";
import { Forest } from "./comparison/Forest";
import { hasPicture } from "./comparison/forest";
import { NotRecorded } from "./NotRecorded";
import { StudyHeader } from "./StudyHeader";
import { lookOf } from "./search";
import { StudyTabs } from "./StudyTabs";
import { WhatDecides } from "./comparison/WhatDecides";
import classes from "./StudyPage.module.css";
import { rankedBy, useView } from "./useView";

const route = getRouteApi("/inside/studies/$studyId");
const NextActions = lazy(() => import("./comparison/NextActions").then((module) => ({ default: module.NextActions })));

export function StudyPage() {
  const { studyId } = route.useParams();
  const { search, query, hidden } = useView();
  const study = useQuery(studyDetail(studyId));
  const compared = useQuery(comparison(studyId, query));
  const metric = rankedBy(query.metric, compared);
  const figureOf = (name: string) => figure(studyId, name, query, lookOf(name, search));
  useStudyStream(study.data?.id, study.data?.event_seq);
  useDocumentTitle(study.data ? `${study.data.name} · Dropscope` : "Dropscope");

  if (study.isError && (isGone(study.error) || !study.data)) return <PageError error={study.error} />;
  if (!study.data) return <Waiting />;
  return (
    <Container fluid maw={1760} py="md" px={{ base: "sm", sm: "lg" }}>
      <Stack gap="md">
        <StudyHeader study={study.data} />
        <Answers
          verdict={compared.data?.verdict}
          answers={compared.data?.answers}
          picture={compared.data && hasPicture(compared.data) && <Forest comparison={compared.data} hidden={hidden} />}
          actions={
            compared.data && (
              <Suspense fallback={<Skeleton height={36} />}>
                <NextActions comparison={compared.data} study={study.data} />
              </Suspense>
            )
          }
          below={(answer) => <WhatDecides answer={answer} comparison={compared.data} study={study.data} />}
        />
        <div className={classes.columns}>
          <ArmRail comparison={compared.data} baselineId={study.data.baseline_arm_id} metric={metric} />
          <Stack gap="md" miw={0}>
            <NotRecorded asked={query} shown={compared.isPlaceholderData ? undefined : compared.data} />
            <Charts comparison={compared.data} figureOf={figureOf} hidden={hidden} />
            <ElsewhereLater comparison={compared.data} figureOf={figureOf} hidden={hidden} />
            <StudyTabs study={study.data} comparison={compared.data} figureOf={figureOf} hidden={hidden} />
          </Stack>
        </div>
      </Stack>
    </Container>
  );
}

function Waiting() {
  return (
    <Container fluid maw={1760} py="md" px={{ base: "sm", sm: "lg" }} aria-busy="true" aria-label="Loading the study">
      <Stack gap="md">
        <Skeleton height={64} width="60%" />
        <Skeleton height={96} radius="lg" />
        <div className={classes.columns}>
          <Skeleton height={380} radius="lg" />
          <Box>
            <Skeleton height={620} radius="lg" />
          </Box>
        </div>
      </Stack>
    </Container>
  );
}
