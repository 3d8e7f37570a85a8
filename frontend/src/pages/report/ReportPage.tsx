/** A study's report: what somebody concludes, over the results it rests on. To read, print and hand on. */
import { Container, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { PlotlyFigure } from "../../api/figures";
import { isGone } from "../../api/problem";
import { studyReport } from "../../api/reports";
import { PageError } from "../../components/PageError";
import { FigureLater } from "../../figure/FigureLater";
import { useStudyStream } from "../../live/useStudyStream";
import { Answers } from "../study/comparison/Answers";
import { ReportFootnotes } from "./ReportFootnotes";
import { ReportHeader } from "./ReportHeader";
import classes from "./ReportPage.module.css";
import { ReportTable } from "./ReportTable";
import { ReportText } from "./ReportText";

const route = getRouteApi("/inside/studies/$studyId/report");

export function ReportPage() {
  const { studyId } = route.useParams();
  const found = useQuery(studyReport(studyId));
  const report = found.data;
  useStudyStream(report && !report.frozen ? studyId : undefined, report?.latest_seq);
  useDocumentTitle(report ? `${report.title} · Dropscope` : "Dropscope");

  if (found.isError && (isGone(found.error) || !report)) return <PageError error={found.error} />;
  if (!report)
    return (
      <Container size="lg" py="md" aria-busy="true" aria-label="Loading the report">
        <Skeleton height={560} radius="lg" />
      </Container>
    );
  return (
    <Container size="xl" py="md" component="article" className={classes.page}>
      <Stack gap="lg">
        <ReportHeader report={report} />
        <ReportText report={report} />
        <Answers verdict={report.verdict} answers={report.answers} unfolded />
        <section aria-label="Results">
          <Title order={2} mb="xs">
            Results
          </Title>
          <ReportTable table={report.table} label="Results of all arms" />
          {report.in_time && (
            <>
              <Title order={3} mt="md" mb="xs">
                Stopped in time
              </Title>
              <ReportTable table={report.in_time} label="All arms stopped in time" />
            </>
          )}
          {report.elsewhere && (
            <>
              <Title order={3} mt="md" mb="xs">
                What it cost elsewhere
              </Title>
              <Text size="sm" mb="xs">
                {report.elsewhere_text}
              </Text>
              <ReportTable table={report.elsewhere} label="All arms on further data sets" />
            </>
          )}
        </section>
        {report.figures.length > 0 && (
          <section aria-label="Figures">
            <Title order={2} mb="xs">
              Figures
            </Title>
            <Stack gap="xl">
              {(report.figures as unknown as PlotlyFigure[]).map((figure) => (
                <ReportFigure key={String(figure.layout.meta?.name)} figure={figure} />
              ))}
            </Stack>
          </section>
        )}
        <ReportFootnotes report={report} />
      </Stack>
    </Container>
  );
}

function ReportFigure({ figure }: { figure: PlotlyFigure }) {
  const { name, title } = figure.layout.meta ?? {};
  return (
    <div id={`figure-${String(name)}`} className={classes.figure}>
      <FigureLater figure={figure} title={String(title)} />
    </div>
  );
}
