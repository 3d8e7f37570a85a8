/** What every report holds: charts, the table, how it was made, and what the words mean. */
import { Paper, Table, Text, Title } from "@mantine/core";
import type { ReportOut } from "../../api/types";
import { Figure } from "../../figure/Figure";
import type { PlotlyFigure } from "../../figure/plotly";

export function ReportCharts({ figures }: { figures: ReportOut["figures"] }) {
  const drawn = figures as unknown as PlotlyFigure[];
  return (
    <>
      {drawn.map((figure) => {
        const title = figure.layout.meta?.title ?? "Chart";
        return (
          <Paper key={title} p="md">
            <Figure figure={figure} title={title} {...(figure.layout.height ? {} : { height: 420 })} />
          </Paper>
        );
      })}
    </>
  );
}

export function ReportTable({ report }: { report: ReportOut }) {
  const { columns, rows } = report.table;
  return (
    <Paper p="md" component="section" aria-label="Results">
      <Title order={2} mb="xs">
        Results
      </Title>
      <Table.ScrollContainer minWidth={860} type="native" tabIndex={0} aria-label="Results, scrolls sideways">
        <Table>
          <Table.Thead>
            <Table.Tr>
              {columns.map((column) => (
                <Table.Th key={column}>{column}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={row.join("|")}>
                {row.map((cell, at) => (
                  <Table.Td key={columns[at]} fw={at === 0 ? 550 : undefined} style={{ whiteSpace: "nowrap" }}>
                    {cell}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text component="ul" size="xs" c="dimmed" pl={16} mb={0}>
        {report.footnotes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </Text>
    </Paper>
  );
}

export function MethodsSection({ report }: { report: ReportOut }) {
  return (
    <Paper p="md" component="section" aria-label="How it was made">
      <Title order={2}>How it was made</Title>
      <div className="prose" dangerouslySetInnerHTML={{ __html: report.methods_html }} />
    </Paper>
  );
}

export function Terms({ report }: { report: ReportOut }) {
  return (
    <Paper p="md" component="section" aria-label="Terms">
      <Title order={2} mb="xs">
        Terms
      </Title>
      <dl className="terms">
        {report.definitions.map(({ term, meaning }) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Paper>
  );
}
