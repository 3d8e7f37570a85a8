/** The table itself: headers that sort, rows that can be chosen. */
import { Checkbox, Table, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import type { ReactTable } from "@tanstack/react-table";
import type { features } from "./columns";
import type { RunRow } from "./rows";
import classes from "./RunTable.module.css";

export type RunsTable = ReactTable<typeof features, RunRow>;

const ARROWS = { asc: IconArrowUp, desc: IconArrowDown };
const SORTED = { asc: "ascending", desc: "descending" } as const;

export function RunTable({ table, shown }: { table: RunsTable; shown: number }) {
  return (
    <Table.ScrollContainer minWidth={760} type="native" role="group" tabIndex={0} aria-label="Runs, scrolls sideways">
      <Table highlightOnHover className={classes.table}>
        <Table.Thead>
          {table.getHeaderGroups().map((group) => (
            <Table.Tr key={group.id}>
              <Table.Th w={36}>
                <Checkbox
                  size="xs"
                  aria-label="Select all runs"
                  checked={table.getIsAllRowsSelected()}
                  indeterminate={table.getIsSomeRowsSelected() && !table.getIsAllRowsSelected()}
                  onChange={table.getToggleAllRowsSelectedHandler()}
                />
              </Table.Th>
              {group.headers.map((header) => {
                const sorted = header.column.getIsSorted();
                const Arrow = sorted ? ARROWS[sorted] : undefined;
                return (
                  <Table.Th key={header.id} aria-sort={sorted ? SORTED[sorted] : "none"}>
                    <UnstyledButton className={classes.sort} onClick={header.column.getToggleSortingHandler()}>
                      <table.FlexRender header={header} />
                      {Arrow && <Arrow size={12} />}
                    </UnstyledButton>
                  </Table.Th>
                );
              })}
            </Table.Tr>
          ))}
        </Table.Thead>
        <Table.Tbody>
          {table
            .getRowModel()
            .rows.slice(0, shown)
            .map((row) => (
              <Table.Tr key={row.id} data-selected={row.getIsSelected() || undefined}>
                <Table.Td>
                  <Checkbox
                    size="xs"
                    aria-label={`Select ${row.original.arm_label}, seed ${row.original.seed}`}
                    checked={row.getIsSelected()}
                    onChange={row.getToggleSelectedHandler()}
                  />
                </Table.Td>
                {row.getVisibleCells().map((cell) => (
                  <Table.Td key={cell.id}>
                    <table.FlexRender cell={cell} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
