/** One data set: where it came from, its labels, its rows, what was left out. */
import {
  Alert,
  Button,
  Container,
  Group,
  Paper,
  SegmentedControl,
  SimpleGrid,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { datasets } from "../../api/catalogue";
import { datasetFacts, datasetRows, deleteDataset } from "../../api/datasets";
import { useMayChange } from "../../api/accounts";
import { sentence } from "../../api/problem";
import type { DatasetFacts } from "../../api/types";
import { ButtonLink } from "../../components/links";
import { Notice } from "../../components/Notice";
import { tellError } from "../../components/tell";
import { Warnings } from "../../components/Warnings";
import { count } from "../../format/numbers";
import { Balance, RowTable } from "./parts";
import { inShort, TASKS } from "./words";
import { at } from "../../api/root";

const WhatIsRead = lazy(() => import("./WhatIsRead").then((module) => ({ default: module.WhatIsRead })));
const route = getRouteApi("/inside/data/$datasetId");
const SHOWN_LABELS = 30;

export function DatasetPage() {
  const { datasetId } = route.useParams();
  useDocumentTitle(`${datasetId} · Dropscope`);
  const data = useQuery(datasetFacts(datasetId));
  if (data.isError)
    return (
      <Container size="lg" py="lg">
        <Notice alert title="There is no such data set">
          {sentence(data.error)}
        </Notice>
      </Container>
    );
  if (!data.data) return null;
  return (
    <Container size="lg" py="lg">
      <Stack gap="md">
        <Head data={data.data} />
        <Warnings label="Warnings" size="sm" sentences={data.data.warnings} />
        <Facts data={data.data} />
        {data.data.task === "causal_lm" && (
          <Suspense>
            <WhatIsRead key={datasetId} data={data.data} />
          </Suspense>
        )}
        <Rows key={datasetId} data={data.data} />
      </Stack>
    </Container>
  );
}

function Head({ data }: { data: DatasetFacts }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const mayChange = useMayChange();
  const [sure, setSure] = useState(false);
  const remove = useMutation({
    mutationFn: () => deleteDataset(data.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: datasets.queryKey, exact: true });
      void navigate({ to: "/data" });
    },
    onError: tellError,
    onSettled: () => setSure(false),
  });
  return (
    <Group justify="space-between" align="start" gap="sm">
      <div style={{ minWidth: 0 }}>
        <Title order={1} style={{ overflowWrap: "anywhere" }}>
          {data.title}
        </Title>
        <Text c="dimmed">
          {TASKS[data.task]} · {inShort(data)} · {data.source}
        </Text>
      </div>
      {mayChange && (
        <Group gap="xs">
          {!data.builtin && (
            <Button
              variant="light"
              color="red"
              size="sm"
              loading={remove.isPending}
              onBlur={() => setSure(false)}
              onClick={() => (sure ? remove.mutate() : setSure(true))}
            >
              {sure ? "Really delete?" : "Delete"}
            </Button>
          )}
          <ButtonLink to="/new" search={{ dataset: data.id }} size="sm">
            Study this data set
          </ButtonLink>
        </Group>
      )}
    </Group>
  );
}

function Facts({ data }: { data: DatasetFacts }) {
  const labels = data.label_names.map((name, at) => ({
    name,
    train: data.label_counts.train?.[at] ?? 0,
    validation: data.label_counts.validation?.[at] ?? 0,
  }));
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <Paper p="md" component="section" aria-label="Rows">
        <Title order={2} mb="xs">
          Rows
        </Title>
        <Text size="sm">
          {count(data.read, "row")} read: {data.kept.toLocaleString("en")} kept, {data.refused.toLocaleString("en")}{" "}
          left out.
        </Text>
        {data.label_range && (
          <Text size="sm">
            Labels from {data.label_range[0]} to {data.label_range[1]}.
          </Text>
        )}
        {data.leaked > 0 && (
          <Alert color="red" mt="xs" py={6}>
            {count(data.leaked, "validation row")} say what a training row says.
          </Alert>
        )}
        {data.duplicates > 0 && (
          <Text size="sm" mt={4}>
            {count(data.duplicates, "row")} say what an earlier row says.
          </Text>
        )}
        {data.conflicting > 0 && (
          <Text size="sm" mt={4}>
            {count(data.conflicting, "row")} share their text with a row of another label.
          </Text>
        )}
        {data.refused > 0 && (
          <Button
            component="a"
            href={at(`/api/v1/datasets/${data.id}/refused.csv`)}
            download
            size="xs"
            variant="default"
            mt="sm"
          >
            Refused rows, with reasons (CSV)
          </Button>
        )}
      </Paper>
      {labels.length > 0 && (
        <Paper p="md" component="section" aria-label="Labels">
          <Title order={2} mb="xs">
            Labels
          </Title>
          <Balance labels={labels.slice(0, SHOWN_LABELS)} more={Math.max(0, labels.length - SHOWN_LABELS)} />
        </Paper>
      )}
    </SimpleGrid>
  );
}

function Rows({ data }: { data: DatasetFacts }) {
  const [split, setSplit] = useState<"train" | "validation">("train");
  const rows = useInfiniteQuery(datasetRows(data.id, split));
  return (
    <Paper p="md" component="section" aria-label="What the rows say">
      <Group justify="space-between" mb="xs">
        <Title order={2}>What the rows say</Title>
        <SegmentedControl
          size="xs"
          aria-label="Split"
          value={split}
          onChange={(value) => setSplit(value === "train" ? "train" : "validation")}
          data={[
            { value: "train", label: "Training" },
            { value: "validation", label: "Validation" },
          ]}
        />
      </Group>
      <RowTable
        label="Rows, scrolls sideways"
        columns={[...data.columns].sort((a, b) => Number(a === "label") - Number(b === "label"))}
        rows={rows.data?.pages.flatMap((page) => page.items) ?? []}
      />
      {rows.hasNextPage && (
        <Button
          variant="default"
          size="xs"
          mt="sm"
          loading={rows.isFetchingNextPage}
          onClick={() => void rows.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </Paper>
  );
}
