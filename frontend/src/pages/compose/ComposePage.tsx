/** The form of a new study: model, data, methods, seeds; beside it the same study as a file or a call. */
import { Button, Container, Grid, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { adapters, datasets, methods, models } from "../../api/catalogue";
import { me } from "../../api/accounts";
import { studyDetail } from "../../api/studies";
import type { StudyDetail, StudySpec } from "../../api/types";
import { ButtonLink } from "../../components/links";
import { Notice } from "../../components/Notice";
import { PageError } from "../../components/PageError";
import { Advanced } from "./Advanced";
import { completed, setStart } from "./draft";
import { MethodPicker } from "./MethodPicker";
import { ModelAndData } from "./ModelAndData";
import { SeedsAndRanks } from "./SeedsAndRanks";
import { PlanSection } from "./PlanSection";
import { withRivals } from "./rivals";
import { startingPoint } from "./start";
import { SummaryBar } from "./SummaryBar";
import { TemplatePicker } from "./TemplatePicker";
import { template as readyMadeStudy } from "./templates";
import { useDraft } from "./useDraft";
import { usePreview } from "./usePreview";

const SameStudy = lazy(() => import("./SameStudy").then((module) => ({ default: module.SameStudy })));
const route = getRouteApi("/inside/new");

export function ComposePage() {
  useDocumentTitle("New study · Dropscope");
  const { data: who } = useQuery(me);
  return who?.role === "viewer" ? <ReadersOnly /> : <Beginning />;
}

/** Told before the form, not after it is filled in. */
function ReadersOnly() {
  return (
    <Container size="sm" py={60}>
      <Notice
        title="Your account reads"
        actions={
          <ButtonLink to="/" variant="default" mt="sm">
            All studies
          </ButtonLink>
        }
      >
        Making a study needs the role member, and yours is viewer. An admin of this workspace can change it under
        Settings, People.
      </Notice>
    </Container>
  );
}

function Beginning() {
  const search = route.useSearch();
  const { from, template, start: startId, dataset } = search;
  const source = useQuery({ ...studyDetail(from ?? ""), enabled: from !== undefined });
  const added = useQuery({ ...adapters, enabled: startId !== undefined });
  // A data set may be younger than the list that is known here.
  const listed = useQuery({ ...datasets, refetchOnMount: dataset === undefined || "always" });
  const known = { models: useQuery(models), datasets: listed, methods: useQuery(methods) };
  const unlisted = dataset !== undefined && !listed.data?.items.some(({ id }) => id === dataset);
  const readyMade = useQuery({
    queryKey: ["template", template],
    queryFn: async () => (await readyMadeStudy(template ?? "")) ?? null, // one of no known name: the usual beginning
    enabled: template !== undefined,
    staleTime: Infinity,
  });
  const follows = search.arms !== undefined || search.seeds !== undefined;
  const follow = useQuery({
    queryKey: ["followUp"],
    queryFn: () => import("./followUp").then((module) => module.followUp), // few forms begin so
    enabled: follows,
    staleTime: Infinity,
  });
  const failed = [source, added, follow, readyMade, ...Object.values(known)].find((query) => query.isError);
  if (failed) return <PageError error={failed.error} />;
  if (
    !known.models.data ||
    !known.datasets.data ||
    !known.methods.data ||
    (from && !source.data) ||
    (startId && !added.data) ||
    (unlisted && listed.isFetching) ||
    (follows && !follow.data) ||
    (template !== undefined && readyMade.isPending)
  )
    return (
      <Container size="xl" py="lg" aria-busy="true" aria-label="Loading the form">
        <Skeleton height={560} radius="lg" />
      </Container>
    );
  const start = source.data
    ? (follow.data ?? cloned)(
        source.data,
        { ...completed(source.data.spec), name: `${source.data.name} (copy)`.slice(0, 200) },
        search,
      )
    : startingPoint(known.models.data.items, known.datasets.data.items, {
        template: readyMade.data ?? undefined,
        dataset,
      });
  const adapter = added.data?.find(({ id }) => id === startId);
  return (
    <Form
      key={JSON.stringify(search)}
      address={JSON.stringify(search)}
      start={adapter ? setStart({ ...start, model: adapter.model.id }, adapter) : start}
    />
  );
}

const cloned = (_: StudyDetail, draft: StudySpec) => draft;

function Form({ start, address }: { start: StudySpec; address: string }) {
  const { draft, setDraft, restored, startOver, forget } = useDraft(start, address);
  const looked = usePreview(draft);
  const onChange = (next: StudySpec) => setDraft((old) => withRivals(old, next));
  const part = { draft, onChange, problems: looked.problems, warnings: looked.warnings };
  return (
    <>
      <Container size={1400} pt="lg" pb={120}>
        <Group justify="space-between" align="end" mb="md" wrap="nowrap">
          <div>
            <Title order={1}>New study</Title>
            <Text c="dimmed">
              Every method is trained with the same seeds, rows and order, so that what differs is the dropout alone.
            </Text>
          </div>
          <TemplatePicker />
        </Group>
        {restored && (
          <Group gap="xs" mb="md" role="status">
            <Text size="sm">This is your draft from before; leaving the form keeps it in this tab.</Text>
            <Button size="compact-xs" variant="default" onClick={startOver}>
              Start over
            </Button>
          </Group>
        )}
        <Grid gap="md">
          <Grid.Col span={{ base: 12, lg: 8 }}>
            <Stack gap="md">
              <ModelAndData {...part} />
              <MethodPicker {...part} />
              <SeedsAndRanks {...part} />
              <PlanSection {...part} preview={looked.preview} />
              <Advanced {...part} />
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 4 }}>
            <Suspense fallback={<Skeleton height={420} radius="lg" />}>
              <SameStudy draft={draft} preview={looked.preview} />
            </Suspense>
          </Grid.Col>
        </Grid>
      </Container>
      <SummaryBar draft={draft} onQueued={forget} {...looked} />
    </>
  );
}
