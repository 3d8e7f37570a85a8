/** Who did what, the newest first. Admins only; the log only grows. */
import { Badge, Button, Group, NativeSelect, Paper, Table, Text, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { auditLog, users, wholeAuditLog, type AuditFilter } from "../../api/accounts";
import type { AuditOut } from "../../api/types";
import { tellError } from "../../components/tell";
import { saveText } from "../../figure/save";
import { moment } from "../../format/times";

/** What is looked for most; the log holds every operation that changes something. */
const ACTIONS = [
  "auth_login",
  "users_update",
  "invitations_create",
  "invitations_accept",
  "tokens_create",
  "tokens_revoke",
  "shares_create",
  "shares_revoke",
  "studies_create",
  "studies_delete",
  "studies_purge",
  "datasets_delete",
];
const FIELDS = ["at", "user_name", "user_id", "credential", "action", "object_id", "outcome", "ip"] as const;

/** The log as a table for a spreadsheet; a text that such a program would take for a formula is kept from being one. */
export function asCsv(entries: AuditOut[]): string {
  const cell = (value: unknown) => {
    const text = String(value ?? "").replace(/^[=+\-@\t\r]/, "'$&");
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = entries.map((entry) => [...FIELDS.map((field) => entry[field]), detailOf(entry)].map(cell).join(","));
  return [[...FIELDS, "detail"].join(","), ...lines].join("\r\n") + "\r\n";
}

const detailOf = ({ detail }: AuditOut) =>
  Object.entries(detail)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(", ");

export function AuditSection() {
  const [filter, setFilter] = useState<AuditFilter>({});
  const log = useInfiniteQuery({ ...auditLog(filter), placeholderData: keepPreviousData });
  const people = useQuery(users);
  const entries = log.data?.pages.flatMap(({ items }) => items) ?? [];
  const save = useMutation({
    mutationFn: () => wholeAuditLog(filter),
    onSuccess: (all) => saveText("dropscope-audit.csv", asCsv(all), "text/csv"),
    onError: tellError,
  });
  return (
    <Paper p="md" component="section" aria-label="Audit log">
      <Group justify="space-between">
        <Title order={2}>Audit log</Title>
        <Group gap="xs">
          <NativeSelect
            size="xs"
            aria-label="Whose entries"
            value={filter.user_id ?? ""}
            onChange={({ currentTarget }) => setFilter({ ...filter, user_id: currentTarget.value || undefined })}
            data={[
              { value: "", label: "Everybody" },
              ...(people.data?.map(({ id, name }) => ({ value: id, label: name })) ?? []),
            ]}
          />
          <NativeSelect
            size="xs"
            aria-label="Which operation"
            value={filter.action ?? ""}
            onChange={({ currentTarget }) => setFilter({ ...filter, action: currentTarget.value || undefined })}
            data={[
              { value: "", label: "Everything" },
              ...ACTIONS.map((action) => ({ value: action, label: action.replaceAll("_", " ") })),
            ]}
          />
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} />}
            loading={save.isPending}
            onClick={() => save.mutate()}
          >
            CSV
          </Button>
        </Group>
      </Group>
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
            {entries.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {log.isSuccess && entries.length === 0 && (
        <Text size="sm" c="dimmed" py="sm">
          Nothing of this kind is in the log.
        </Text>
      )}
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
          {[detailOf(entry), entry.object_id].filter(Boolean).join(", ") || "–"}
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
