/** Pictures of a data set that the form and its own page share: labels, lengths, a table of rows. */
import { Group, Stack, Table, Text } from "@mantine/core";
import type { Lengths } from "../../api/types";
import { count } from "../../format/numbers";
import classes from "./Data.module.css";

export interface LabelRows {
  name: string;
  train: number;
  validation: number;
}

const shown = (n: number) => n.toLocaleString("en");

/** Rows of each label, training and validation side by side. */
export function Balance({ labels, more = 0 }: { labels: LabelRows[]; more?: number }) {
  const most = Math.max(1, ...labels.map((label) => label.train + label.validation));
  return (
    <Stack gap={6} role="list" aria-label="Rows of each label">
      {labels.map(({ name, train, validation }) => (
        <div key={name} className={classes.label} role="listitem">
          <Text size="sm" truncate title={name}>
            {name}
          </Text>
          <div className={classes.two} aria-hidden>
            <div className={classes.train} style={{ width: `${(100 * train) / most}%` }} />
            <div className={classes.validation} style={{ width: `${(100 * validation) / most}%` }} />
          </div>
          <Text size="xs" c="dimmed">
            {shown(train)} + {shown(validation)}
          </Text>
        </div>
      ))}
      <Text size="xs" c="dimmed">
        Training + validation rows{more > 0 ? `; ${count(more, "more label")}` : ""}
      </Text>
    </Stack>
  );
}

/** How long the rows are in a model's tokens; bars beyond its context in red. */
export function LengthBars({ lengths }: { lengths: Lengths }) {
  const most = Math.max(...lengths.counts);
  const edge = (at: number) => lengths.edges[at] ?? 0;
  const said = `median ${shown(Math.round(lengths.median))}, 95 % up to ${shown(Math.round(lengths.p95))}, longest ${shown(lengths.longest)}`;
  return (
    <div>
      <div className={classes.bars} role="img" aria-label={`Tokens a row: ${said}`}>
        {lengths.counts.map((rows, at) => (
          <div
            key={at}
            className={classes.bar}
            data-cut={edge(at) >= lengths.context_length || undefined}
            style={{ height: `${(100 * rows) / most}%` }}
            title={`${Math.round(edge(at))}–${Math.round(edge(at + 1))} tokens: ${count(rows, "row")}`}
          />
        ))}
      </div>
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          {shown(Math.round(edge(0)))}
        </Text>
        <Text size="xs" c="dimmed">
          {shown(Math.round(edge(lengths.edges.length - 1)))} tokens
        </Text>
      </Group>
      <Text size="sm" mt={4}>
        {said.charAt(0).toUpperCase() + said.slice(1)} tokens of {lengths.model}
        {lengths.exact ? "" : " (estimated)"}, over {count(lengths.rows, "row")}.
      </Text>
    </div>
  );
}

interface RowTableProps {
  label: string;
  columns: string[];
  rows: Record<string, unknown>[];
}

/** Rows as text, long cells cut to three lines. */
export function RowTable({ label, columns, rows }: RowTableProps) {
  return (
    <Table.ScrollContainer minWidth={Math.max(320, 150 * columns.length)} type="native" tabIndex={0} aria-label={label}>
      <Table verticalSpacing={5}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column}>{column}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row, at) => (
            <Table.Tr key={at}>
              {columns.map((column) => (
                <Table.Td key={column}>
                  <span className={classes.cell}>{inWords(row[column])}</span>
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function inWords(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (isTurns(value)) return value.map(({ role, content }) => `${role}: ${content}`).join("\n");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isTurns(value: unknown): value is { role: string; content: string }[] {
  return Array.isArray(value) && value.every((turn) => typeof turn === "object" && turn !== null && "role" in turn);
}
