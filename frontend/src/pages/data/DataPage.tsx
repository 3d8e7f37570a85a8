/** All data sets, and a place for a new one. */
import { Container, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { datasets } from "../../api/catalogue";
import { useMayChange } from "../../api/accounts";
import { sentence } from "../../api/problem";
import type { DatasetFacts } from "../../api/types";
import { Notice } from "../../components/Notice";
import classes from "./Data.module.css";
import { DropFile } from "./DropFile";
import { inShort, TASKS } from "./words";

export function DataPage() {
  useDocumentTitle("Data sets · Dropscope");
  const navigate = useNavigate();
  const mayChange = useMayChange();
  const list = useQuery(datasets);
  return (
    <Container size="lg" py="lg">
      <Stack gap="md">
        <div>
          <Title order={1}>Data sets</Title>
          <Text c="dimmed">What studies are trained and measured on.</Text>
        </div>
        {mayChange && (
          <DropFile
            label="Add a data set"
            hint="CSV, TSV, JSONL or Parquet, up to 1 GiB: drop it here. You see what it becomes before it is added."
            onSent={(upload) => void navigate({ to: "/data/add", search: { upload: upload.id } })}
          />
        )}
        {list.isError && (
          <Notice alert title="The data sets could not be read">
            {sentence(list.error)}
          </Notice>
        )}
        <Stack gap={8} component="section" aria-label="List of data sets">
          {list.isPending
            ? [0, 1].map((line) => <Skeleton key={line} height={76} radius="lg" />)
            : list.data?.items.map((data) => <Line key={data.id} data={data} />)}
          {list.data?.missing.map((absent) => (
            <Paper key={absent.id} p="md">
              <Text c="dimmed">{absent.title}: not on this machine</Text>
              <Text size="xs" c="dimmed">
                {absent.message}
              </Text>
            </Paper>
          ))}
        </Stack>
      </Stack>
    </Container>
  );
}

function Line({ data }: { data: DatasetFacts }) {
  return (
    <Link to="/data/$datasetId" params={{ datasetId: data.id }} className={classes.row}>
      <Paper p="md">
        <Group justify="space-between" wrap="nowrap" align="start">
          <div style={{ minWidth: 0 }}>
            <Text fw={600} truncate>
              {data.title}
            </Text>
            <Text size="sm" c="dimmed">
              {inShort(data)}
            </Text>
          </div>
          <Text size="xs" c="dimmed" style={{ flexShrink: 0 }}>
            {TASKS[data.task]}
          </Text>
        </Group>
      </Paper>
    </Link>
  );
}
