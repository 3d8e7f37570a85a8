/** Every run of the study: filter, sort, choose columns, cancel or retry several at once. */
import { Button, Group, Kbd, Skeleton, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconFilter } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTable } from "@tanstack/react-table";
import { useMemo, useRef, useState } from "react";
import { studyRuns } from "../../../api/studies";
import { useKeys } from "../../../components/keys";
import { count } from "../../../format/numbers";
import type { TabProps } from "../tab";
import { useView } from "../useView";
import { BulkActions } from "./BulkActions";
import { ColumnPicker } from "./ColumnPicker";
import { columns, features } from "./columns";
import { differing, filtered, runRows, type RunRow } from "./rows";
import { RunTable } from "./RunTable";
import { useColumns } from "./useColumns";

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
  return (
    <section aria-label="Runs">
      <Group justify="space-between" mb="xs" gap="xs">
        <Filter value={search.runs ?? ""} onChange={(text) => change({ runs: text || undefined })} />
        <Group gap="xs">
          <Text size="xs" c="dimmed" aria-live="polite">
            {data.length === rows.length ? count(rows.length, "run") : `${data.length} of ${count(rows.length, "run")}`}
          </Text>
          <BulkActions study={study} runs={table.getSelectedRowModel().rows.map((row) => row.original)} />
          <ColumnPicker table={table} />
        </Group>
      </Group>
      <RunTable table={table} shown={shown} />
      {data.length > shown && (
        <Button variant="subtle" size="xs" mt="xs" onClick={() => setAll(true)}>
          Show all {data.length}
        </Button>
      )}
    </section>
  );
}

function Filter({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
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
