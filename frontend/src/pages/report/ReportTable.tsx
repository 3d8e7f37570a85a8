/** The results in words and numbers, one row an arm, best first; the server writes the cells. */
import { Table } from "@mantine/core";
import type { Report } from "../../api/reports";
import classes from "./ReportPage.module.css";

export function ReportTable({ table, label }: { table: Report["table"]; label: string }) {
  return (
    <Table.ScrollContainer
      minWidth={0}
      type="native"
      tabIndex={0}
      role="region"
      aria-label={label}
      className={classes.results}
    >
      <Table horizontalSpacing={8}>
        <Table.Thead>
          <Table.Tr>
            {table.columns.map((column, at) => (
              <Table.Th key={column} scope="col" ta={at === 0 ? "left" : "right"} className={classes.column}>
                {column}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {table.rows.map((row, place) => (
            <Table.Tr key={place}>
              {row.map((cell, at) =>
                at === 0 ? (
                  <Table.Th key={at} scope="row" dir="auto" className={classes.arm}>
                    {cell}
                  </Table.Th>
                ) : (
                  <Table.Td key={at} ta="right" className={classes.cell}>
                    {cell}
                  </Table.Td>
                ),
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
