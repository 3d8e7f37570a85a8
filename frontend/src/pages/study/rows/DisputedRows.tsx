/** Single rows with what each arm's seeds say of them, the ones that the arms differ most on first. */
import { Button, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { ledgerRows, type LedgerPlace } from "../../../api/ledger";
import type { SaidOfRow } from "../../../api/types";
import { count, decimals, percent } from "../../../format/numbers";
import { Explained } from "../comparison/Explained";
import classes from "./DisputedRows.module.css";

interface DisputedRowsProps {
  studyId: string;
  place: LedgerPlace;
  hidden: ReadonlySet<string>;
}

export function DisputedRows({ studyId, place, hidden }: DisputedRowsProps) {
  const { data, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(ledgerRows(studyId, place));
  const rows = data?.pages.flatMap(({ items }) => items) ?? [];
  const total = data?.pages[0]?.total ?? 0;
  return (
    <section aria-label="Disputed rows">
      <Title order={2} mb={4}>
        Rows that the arms differ on
      </Title>
      <Explained>
        The rows whose loss differs most between the arms come first. For each arm: how many of its seeds are right, and
        how probable the right answer is to them on average.
      </Explained>
      {!data && <Skeleton height={200} />}
      {data && rows.length === 0 && <Text c="dimmed">No rows at this clock.</Text>}
      <Stack gap="sm">
        {rows.map((row) => (
          <Row key={row.row} row={row} hidden={hidden} />
        ))}
        {hasNextPage && (
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Show more, {count(total - rows.length, "row")} left
          </Button>
        )}
      </Stack>
    </section>
  );
}

function Row({ row, hidden }: { row: SaidOfRow; hidden: ReadonlySet<string> }) {
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
          .filter(({ arm_id }) => !hidden.has(arm_id))
          .map((arm) => (
            <li key={arm.arm_id} data-right={arm.right === null ? undefined : 2 * arm.right > arm.seeds}>
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

/** What an arm's seeds say of a row, in a few words. */
export function saysOf({ right, seeds, p_right: chance, value, loss }: SaidOfRow["arms"][number]): string {
  if (right !== null) return `${right} of ${seeds} right${chance === null ? "" : `, ${percent(chance, 0)}`}`;
  return value === null ? `loss ${decimals(loss)}` : `says ${decimals(value)}`;
}
