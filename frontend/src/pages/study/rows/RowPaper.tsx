/** One held-out row and what each arm, or each of some runs, says of it. */
import { Paper, Text } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import type { SaidOfRow } from "../../../api/types";
import { decimals, percent } from "../../../format/numbers";
import classes from "./DisputedRows.module.css";

type SaidByArm = SaidOfRow["arms"][number];

export function RowPaper({ row, hidden }: { row: SaidOfRow; hidden?: ReadonlySet<string> }) {
  return (
    <Paper p="sm" radius="md" component="article" aria-label={`Row ${row.row}`}>
      <Text size="sm" dir="auto" style={{ overflowWrap: "anywhere" }}>
        {row.text ?? `Row ${row.row}: its text is not here any more as it was.`}
      </Text>
      <Text size="xs" c="dimmed" mb={6}>
        row {row.row}
        {row.label !== null && ` · right: ${row.label}`} · losses differ by {decimals(row.apart)}
      </Text>
      <ul className={classes.arms}>
        {row.arms
          .filter(({ arm_id }) => !hidden?.has(arm_id))
          .map((arm) => (
            <li key={arm.run_id ?? arm.arm_id} data-right={arm.right === null ? undefined : 2 * arm.right > arm.seeds}>
              <span dir="auto">{arm.name}</span>
              <span className="number">
                {arm.right !== null &&
                  (2 * arm.right > arm.seeds ? (
                    <IconCheck size={13} aria-hidden="true" />
                  ) : (
                    <IconX size={13} aria-hidden="true" />
                  ))}{" "}
                {saysOf(arm)}
              </span>
            </li>
          ))}
      </ul>
    </Paper>
  );
}

/** What an arm's seeds, or one run, say of a row, in a few words; the share is the probability of the right answer. */
export function saysOf({ right, seeds, p_right: chance, value, loss, run_id, predicted }: SaidByArm): string {
  const sure = chance === null ? "" : `, ${percent(chance, 0)}`;
  if (right !== null && run_id) return `${right ? "right" : "wrong"}: ${Object.keys(predicted ?? {}).join()}${sure}`;
  if (right !== null) return `${right} of ${seeds} right${sure}`;
  return value === null ? `loss ${decimals(loss)}` : `says ${decimals(value)}`;
}
