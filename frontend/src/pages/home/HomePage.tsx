/** All studies, the newest first, and the workers that train them. */
import { Button, Center, Container, Group, Skeleton, Stack, Switch, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { studyList } from "../../api/studies";
import { sentence } from "../../api/problem";
import { useKeys } from "../../components/keys";
import { Notice } from "../../components/Notice";
import { SearchBox, focusSearch } from "../../components/SearchBox";
import { EmptyHome } from "./EmptyHome";
import { StudyRow } from "./StudyRow";
import { WorkerStrip } from "./WorkerStrip";
import { useSteps } from "./useSteps";

const route = getRouteApi("/inside/");

export function HomePage() {
  const { q, archived = false } = route.useSearch();
  const navigate = route.useNavigate();
  useDocumentTitle("Studies · Dropscope");
  const list = useInfiniteQuery(studyList({ q, archived }));
  const studies = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [marked, setMarked] = useState(-1);
  const row = useSteps(studies.length, marked, setMarked);
  useKeys({ "/": focusSearch, j: row.next, k: row.previous });

  const nothingYet = list.isSuccess && studies.length === 0 && !q && !archived;
  return (
    <Container size="xl" py="lg">
      <Stack gap="md">
        <Group justify="space-between" align="end" gap="sm">
          <div>
            <Title order={1}>Studies</Title>
            <Text c="dimmed">What to do about your adapter’s overfitting, and whether to believe it.</Text>
          </div>
          <Group gap="md" wrap="nowrap">
            <Switch
              label="Archived"
              checked={archived}
              onChange={({ currentTarget }) =>
                void navigate({ search: (old) => ({ ...old, archived: currentTarget.checked || undefined }) })
              }
            />
            <SearchBox
              label="Search studies"
              value={q ?? ""}
              onChange={(next) => void navigate({ search: (old) => ({ ...old, q: next || undefined }), replace: true })}
            />
          </Group>
        </Group>
        <WorkerStrip />
        {list.isError && studies.length === 0 ? (
          <Notice
            alert
            title="The studies could not be read"
            actions={
              <Button variant="default" mt="sm" onClick={() => void list.refetch()}>
                Try again
              </Button>
            }
          >
            {sentence(list.error)}
          </Notice>
        ) : nothingYet ? (
          <EmptyHome />
        ) : list.isSuccess && studies.length === 0 ? (
          <Notice title={archived ? "Nothing is archived" : "No study matches"}>
            {q ? `No study's name, model or data set contains “${q}”.` : "Archived studies are kept here."}
          </Notice>
        ) : (
          <Stack gap={8} component="section" aria-label="List of studies">
            {list.isPending
              ? [0, 1, 2].map((line) => <Skeleton key={line} height={92} radius="lg" />)
              : studies.map((study, at) => <StudyRow key={study.id} study={study} marked={at === marked} />)}
          </Stack>
        )}
        {list.hasNextPage && (
          <Center>
            <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              Show more
            </Button>
          </Center>
        )}
      </Stack>
    </Container>
  );
}
