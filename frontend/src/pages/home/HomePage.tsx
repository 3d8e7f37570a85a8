/** All studies as a table that is searched, filtered and sorted in the page, and the workers that train them. */
import { Button, Container, Group, Stack, Switch, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { sentence } from "../../api/problem";
import { studyList } from "../../api/studies";
import type { StudySummary } from "../../api/types";
import { useKeys } from "../../components/keys";
import { Notice } from "../../components/Notice";
import { SearchBox, focusSearch } from "../../components/SearchBox";
import { EmptyHome } from "./EmptyHome";
import { FilterRow } from "./FilterRow";
import { matching, ordered } from "./list";
import { FILTERS, type HomeSearch } from "./search";
import { StudyTable } from "./StudyTable";
import { WorkerLine } from "./WorkerLine";
import { useSteps } from "./useSteps";

const route = getRouteApi("/inside/");
const NONE: StudySummary[] = [];

export function HomePage() {
  const search = route.useSearch();
  const { q, archived = false, sort } = search;
  const navigate = route.useNavigate();
  useDocumentTitle("Studies · Dropscope");
  const list = useInfiniteQuery(studyList({ archived }));
  const { hasNextPage, isFetching, fetchNextPage } = list;
  useEffect(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  const all = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? NONE, [list.data]);
  const shown = useMemo(() => ordered(matching(all, search, q), sort), [all, search, q, sort]);
  const [marked, setMarked] = useState(-1);
  const row = useSteps(shown.length, marked, setMarked);
  useKeys({ "/": focusSearch, j: row.next, k: row.previous });
  const change = (part: Partial<HomeSearch>) =>
    void navigate({ search: (old) => ({ ...old, ...part }), replace: true });

  const narrowed = Boolean(q) || FILTERS.some((key) => search[key] !== undefined);
  const clear = () => change({ q: undefined, ...Object.fromEntries(FILTERS.map((key) => [key, undefined])) });
  return (
    <Container size={1520} py="lg">
      <Stack gap="sm">
        <Group justify="space-between" align="end" gap="sm">
          <div>
            <Title order={1}>Studies</Title>
            <WorkerLine />
          </div>
          <Group gap="md" wrap="nowrap">
            <Switch
              label="Archived"
              checked={archived}
              onChange={({ currentTarget }) => change({ archived: currentTarget.checked || undefined })}
            />
            <SearchBox label="Search studies" value={q ?? ""} onChange={(next) => change({ q: next || undefined })} />
          </Group>
        </Group>
        {list.isError && all.length === 0 ? (
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
        ) : list.isSuccess && all.length === 0 && !archived ? (
          <EmptyHome />
        ) : list.isSuccess && all.length === 0 ? (
          <Notice title="Nothing is archived">Archived studies are kept here.</Notice>
        ) : (
          <>
            <FilterRow
              all={all}
              shown={shown.length}
              search={search}
              onChange={change}
              onClear={narrowed ? clear : undefined}
            />
            {list.isSuccess && shown.length === 0 ? (
              <Notice
                title="No study matches"
                actions={
                  <Button variant="default" mt="sm" onClick={clear}>
                    Clear search and filters
                  </Button>
                }
              >
                {q ? `No study’s name, model, data set, tag or person contains “${q}”` : "No study is like this"}
                {q && narrowed && FILTERS.some((key) => search[key]) ? " within these filters." : "."}
              </Notice>
            ) : (
              <StudyTable
                studies={list.isPending ? undefined : shown}
                marked={marked}
                order={sort}
                onOrder={(next) => change({ sort: next })}
              />
            )}
          </>
        )}
      </Stack>
    </Container>
  );
}
