/** Who did what, the newest first. Admins only; the log only grows. */
import { Badge, Button, Paper, Table, Text, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { auditLog } from "../../api/accounts";
import type { AuditOut } from "../../api/types";
import { moment } from "../../format/times";

export function AuditSection() {
  const log = useInfiniteQuery(auditLog);
  return (
    <Paper p="md" component="section" aria-label="Audit log">
      <Title order={2}>Audit log</Title>
      <Text size="sm" c="dimmed" mb="sm">
        What was changed, taken away or tried, and by whom. Nobody can change it.
      </Text>
      <Table.ScrollContainer minWidth={640} type="native" tabIndex={0} aria-label="Audit log, scrolls sideways">
        <Table verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              {["When", "Who", "What", "Object", "Outcome", "From"].map((column) => (
                <Table.Th key={column}>{column}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {log.data?.pages
              .flatMap(({ items }) => items)
              .map((entry) => (
                <Entry key={entry.id} entry={entry} />
              ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {log.hasNextPage && (
        <Button
          size="xs"
          variant="default"
          mt="sm"
          loading={log.isFetchingNextPage}
          onClick={() => void log.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </Paper>
  );
}

function Entry({ entry }: { entry: AuditOut }) {
  const detail = Object.entries(entry.detail).map(([key, value]) => `${key} ${String(value)}`);
  return (
    <Table.Tr>
      <Table.Td style={{ whiteSpace: "nowrap" }}>{moment(entry.at)}</Table.Td>
      <Table.Td>
        {entry.user_name ?? "nobody known"}
        {entry.credential?.startsWith("token") && (
          <Text span size="xs" c="dimmed">
            {" "}
            by token
          </Text>
        )}
      </Table.Td>
      <Table.Td>{entry.action.replaceAll("_", " ")}</Table.Td>
      <Table.Td>
        <Text span size="xs" style={{ overflowWrap: "anywhere" }}>
          {[entry.object_id, ...detail].filter(Boolean).join(", ") || "–"}
        </Text>
      </Table.Td>
      <Table.Td>
        <Badge size="sm" variant="default" tt="none">
          {entry.outcome < 400 ? "done" : `refused (${entry.outcome})`}
        </Badge>
      </Table.Td>
      <Table.Td>{entry.ip}</Table.Td>
    </Table.Tr>
  );
}
