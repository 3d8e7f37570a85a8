/** Every run of the study: filter, sort, choose columns, cancel or retry several at once. */
import { Button, Group, Kbd, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconFilter } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTable } from "@tanstack/react-table";
import { lazy, Suspense, useMemo, useRef, useState } from "react";
import { studyRuns } from "../../../api/studies";
import { useKeys } from "../../../components/keys";
import { count } from "../../../format/numbers";
import type { TabProps } from "../tab";
import { useView } from "../useView";
import { BulkActions } from "./BulkActions";
import { ColumnPicker } from "./ColumnPicker";
import { columnsOf, features } from "./columns";
import { differing, filtered, KNOWN_KEYS, runRows, scoreOf, unknownKeys, type RunRow } from "./rows";
import { RunTable } from "./RunTable";
import { useColumns } from "./useColumns";

const RunComparer = lazy(() => import("./RunComparer"));
const SHOWN_AT_FIRST = 100;
const NO_ROWS: RunRow[] = [];

export function RunsTab({ study, comparison }: TabProps) {
  const { search, change } = useView();
  const runs = useQuery(studyRuns(study.id));
  const rows = useMemo(
    () => (runs.data && comparison ? runRows(runs.data, comparison) : NO_ROWS),
    [runs.data, comparison],
  );
  const data = useMemo(() => filtered(rows, search.runs ?? ""), [rows, search.runs]);
  const [columnVisibility, setColumnVisibility] = useColumns(useMemo(() => differing(rows), [rows]));
  const [all, setAll] = useState(false);
  const columns = useMemo(() => columnsOf(comparison && scoreOf(comparison)), [comparison]);
  const table = useTable({
    features,
    columns,
    data,
    getRowId: (row) => row.id,
    state: { columnVisibility },
    onColumnVisibilityChange: setColumnVisibility,
  });
  if (!runs.data || !comparison) return <Skeleton height={320} />;
  const shown = all ? Infinity : SHOWN_AT_FIRST;
  const ticked = table.getSelectedRowModel().rows.map((row) => row.original);
  return (
    <section aria-label="Runs">
      <Group justify="space-between" mb="xs" gap="xs">
        <Filter value={search.runs ?? ""} onChange={(text) => change({ runs: text || undefined })} />
        <Group gap="xs">
          <Text size="xs" c="dimmed" aria-live="polite">
            {data.length === rows.length ? count(rows.length, "run") : `${data.length} of ${count(rows.length, "run")}`}
          </Text>
          <BulkActions study={study} runs={ticked} />
          <ColumnPicker table={table} />
        </Group>
      </Group>
      {ticked.length >= 2 && (
        <Suspense fallback={<Skeleton height={280} mb="md" />}>
          <RunComparer
            study={study}
            runs={ticked}
            score={scoreOf(comparison)}
            onClose={() => table.resetRowSelection()}
          />
        </Suspense>
      )}
      {data.length === 0 ? (
        <NoHits text={search.runs ?? ""} onClear={() => change({ runs: undefined })} />
      ) : (
        <RunTable table={table} shown={shown} />
      )}
      {data.length > shown && (
        <Button variant="subtle" size="xs" mt="xs" onClick={() => setAll(true)}>
          Show all {data.length}
        </Button>
      )}
    </section>
  );
}

/** Why a filter shows nothing, and what it understands. */
function NoHits({ text, onClear }: { text: string; onClear: () => void }) {
  const unknown = unknownKeys(text);
  return (
    <Stack align="center" gap="xs" py="xl" role="status">
      <Text size="sm">
        {unknown.length > 0
          ? `Runs have no ${unknown.map((key) => `“${key}”`).join(", ")}. Words before a colon: ${KNOWN_KEYS.join(", ")}.`
          : `No run matches “${text}”. Every word must hold: status:failed, rank:8, or part of an arm’s name.`}
      </Text>
      <Button size="xs" variant="default" onClick={onClear}>
        Clear the filter
      </Button>
    </Stack>
  );
}

function Filter({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const [before, setBefore] = useState(value);
  if (before !== value) {
    setBefore(value);
    if (value === "") setText(""); // it was cleared from elsewhere
  }
  const field = useRef<HTMLInputElement>(null);
  const tell = useDebouncedCallback(onChange, 150);
  const set = (next: string) => {
    setText(next);
    tell(next);
  };
  useKeys({ "/": () => field.current?.focus() });
  return (
    <TextInput
      ref={field}
      type="search"
      aria-label="Filter runs"
      placeholder="status:failed  rank:8  HiddenKey"
      size="xs"
      w={{ base: "100%", sm: 300 }}
      value={text}
      onChange={(event) => set(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        set("");
        event.currentTarget.blur();
      }}
      leftSection={<IconFilter size={14} />}
      rightSection={text ? null : <Kbd size="xs">/</Kbd>}
    />
  );
}
