/** Differences to the baseline at both clocks, an arm a row: what training to the end costs, and what a method is worth. */
import { Group, Text, VisuallyHidden } from "@mantine/core";
import type { Comparison, Quantity } from "../../../api/types";
import { ArmMark } from "../../../components/ArmMark";
import { colourOf } from "../../../figure/colours";
import { percentPoints, signed } from "../../../format/numbers";
import classes from "./Forest.module.css";
import { forestRows, pictured, reach, type ForestRow, type Span } from "./forest";
import { VerdictText } from "./Verdict";

interface ForestProps {
  comparison: Comparison;
  hidden: ReadonlySet<string>;
}

export function Forest({ comparison, hidden }: ForestProps) {
  const rows = forestRows(comparison, hidden);
  const base = comparison.arms.find((arm) => arm.is_baseline);
  if (rows.length === 0 || !base) return null;
  const quantityOf = (metric: string | undefined) => comparison.metrics.find(({ name }) => name === metric);
  const metric = pictured(comparison);
  const quantity = quantityOf(metric);
  const ends = reach(rows);
  return (
    <figure className={classes.figure}>
      <figcaption>
        <Text size="xs" fw={600}>
          Δ {quantity?.short_title.toLowerCase()} against {base.label}
        </Text>
        <Group gap="sm" className={classes.key}>
          <span>
            <i data-clock="last" /> at the last step
          </span>
          <span>
            <i data-clock="stopped" /> both stopped in time
          </span>
          <span>95 % intervals; {quantity?.higher_is_better ? "right" : "left"} is better</span>
        </Group>
      </figcaption>
      <table className={classes.table}>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id} data-arm={row.id}>
              <th scope="row" dir="auto" title={row.label}>
                <Group gap={6} wrap="nowrap">
                  <ArmMark arm={row.arm} />
                  <Text span inherit truncate>
                    {row.label}
                    {row.arm.is_baseline && " stopped in time"}
                  </Text>
                </Group>
              </th>
              <td className={classes.track}>
                <Track row={row} ends={ends} quantity={quantity} />
              </td>
              {comparison.plan?.metric === metric && (
                <td className={classes.verdict}>
                  {row.arm.verdict && (
                    <VerdictText verdict={row.arm.verdict} quantity={quantityOf(comparison.plan.metric)} short />
                  )}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

/** Both spans over one another, a line at 0; in words for who does not see them. */
function Track({ row, ends, quantity }: { row: ForestRow; ends: [number, number]; quantity: Quantity | undefined }) {
  const at = (value: number) => `${(100 * (value - ends[0])) / (ends[1] - ends[0])}%`;
  const written = ({ mean }: Span) => (quantity?.shown === "share" ? percentPoints(mean, null) : signed(mean));
  const spans = [
    { clock: "last", words: "at the last step", span: row.last },
    { clock: "stopped", words: "stopped in time", span: row.stopped },
  ];
  return (
    <>
      <span className={classes.zero} style={{ left: at(0) }} />
      {spans.map(
        ({ clock, words, span }) =>
          span && (
            <span key={clock} data-clock={clock} style={{ color: colourOf(row.arm.colour_key, row.arm.tone) }}>
              <span className={classes.line} style={{ left: at(span.lo), right: `calc(100% - ${at(span.hi)})` }} />
              <span className={classes.dot} style={{ left: at(span.mean) }} title={`${words}: ${written(span)}`} />
              <VisuallyHidden>
                {words}: {written(span)}.{" "}
              </VisuallyHidden>
            </span>
          ),
      )}
    </>
  );
}
