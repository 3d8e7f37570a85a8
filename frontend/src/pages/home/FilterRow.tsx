/** How many studies are shown, and one field for each filter that could tell studies apart. */
import { Button, Group, NativeSelect, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useMemo } from "react";
import type { StudySummary } from "../../api/types";
import { count } from "../../format/numbers";
import { FILTER_TITLES, valuesOf, type Filters } from "./list";
import { FILTERS, type FilterKey } from "./search";

interface FilterRowProps {
  all: StudySummary[];
  shown: number;
  search: Filters;
  onChange: (part: Filters) => void;
  /** Absent where nothing narrows the list. */
  onClear: (() => void) | undefined;
}

export function FilterRow({ all, shown, search, onChange, onClear }: FilterRowProps) {
  const values = useMemo(() => FILTERS.map((key) => [key, valuesOf(all, key)] as const), [all]);
  return (
    <Group gap={8} component="section" aria-label="Filters" mih={30}>
      <Text size="xs" c="dimmed" className="number" aria-live="polite" mr={4}>
        {shown === all.length
          ? count(all.length, "study", "studies")
          : `${shown.toLocaleString("en")} of ${count(all.length, "study", "studies")}`}
      </Text>
      {values.map(([key, found]) =>
        found.length > 1 || (key === "tag" && found.length > 0) || search[key] !== undefined ? (
          <Filter key={key} name={key} found={found} value={search[key]} onChange={onChange} />
        ) : null,
      )}
      {onClear && (
        <Button size="compact-xs" variant="subtle" leftSection={<IconX size={13} />} onClick={onClear}>
          Clear
        </Button>
      )}
    </Group>
  );
}

interface FilterProps {
  name: FilterKey;
  found: [string, number][];
  value: string | undefined;
  onChange: (part: Filters) => void;
}

function Filter({ name, found, value, onChange }: FilterProps) {
  const title = FILTER_TITLES[name];
  const known = value === undefined || found.some(([one]) => one === value);
  return (
    <NativeSelect
      size="xs"
      aria-label={title}
      value={value ?? ""}
      onChange={(event) => onChange({ [name]: event.currentTarget.value || undefined })}
      data={[
        { value: "", label: `${title}: any` },
        ...(known ? [] : [{ value, label: `${value} (0)` }]),
        ...found.map(([one, n]) => ({ value: one, label: `${one} (${n})` })),
      ]}
      w={value === undefined ? 128 : 168}
      styles={value === undefined ? {} : { input: { borderColor: "var(--mantine-primary-color-filled)" } }}
    />
  );
}
