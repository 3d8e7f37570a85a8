/** Single rows with what each arm's seeds say of them, the ones that the arms differ most on first. */
import { Button, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { ledgerRows, type LedgerPlace } from "../../../api/ledger";
import { count } from "../../../format/numbers";
import { Explained } from "../comparison/Explained";
import { RowPaper } from "./RowPaper";

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
          <RowPaper key={row.row} row={row} hidden={hidden} />
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
