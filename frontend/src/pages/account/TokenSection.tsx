/** API tokens: made for scripts and the command line, shown once, revoked at once. */
import { Button, Group, NativeSelect, NumberInput, Paper, Table, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { makeToken, revokeToken, tokens } from "../../api/accounts";
import type { TokenOut } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { tellError } from "../../components/tell";
import { ago, moment } from "../../format/times";

const SCOPES: { value: TokenOut["scope"]; label: string }[] = [
  { value: "read", label: "read" },
  { value: "run", label: "run: queue and change studies" },
  { value: "admin", label: "admin: all that you may" },
];

export function TokenSection() {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<TokenOut["scope"]>("run");
  const [days, setDays] = useState<number | string>(90);
  const make = useMutation({
    mutationFn: () => makeToken({ name, scope, expires_in_days: Number(days) }),
    onSuccess: () => {
      setName("");
      return client.invalidateQueries({ queryKey: tokens.queryKey });
    },
    onError: tellError,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Paper p="md" component="section" aria-label="API tokens">
      <Title order={2}>API tokens</Title>
      <Text size="sm" c="dimmed" mb="sm">
        For scripts, the command line and other machines: set DROPSCOPE_URL and DROPSCOPE_TOKEN.
      </Text>
      <Group component="form" onSubmit={submit} align="end" gap="sm">
        <TextInput
          size="xs"
          label="Name"
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NativeSelect
          size="xs"
          label="Scope"
          data={SCOPES}
          value={scope}
          onChange={({ currentTarget }) => setScope(SCOPES.find(({ value }) => value === currentTarget.value)!.value)}
        />
        <NumberInput size="xs" w={110} label="Valid for days" min={1} max={365} value={days} onChange={setDays} />
        <Button size="xs" type="submit" loading={make.isPending}>
          Make a token
        </Button>
      </Group>
      {make.data && (
        <div role="status">
          <Text size="sm" mt="sm" mb={4}>
            Copy it now; it is not shown again.
          </Text>
          <CopyText text={make.data.token} label="API token" />
        </div>
      )}
      <Tokens />
    </Paper>
  );
}

function Tokens() {
  const client = useQueryClient();
  const { data } = useQuery(tokens);
  const revoke = useMutation({
    mutationFn: revokeToken,
    onSuccess: () => client.invalidateQueries({ queryKey: tokens.queryKey }),
    onError: tellError,
  });
  const open = data?.filter((token) => token.revoked_at === null) ?? [];
  if (open.length === 0) return null;
  return (
    <Table.ScrollContainer minWidth={520} type="native" mt="sm" tabIndex={0} aria-label="Tokens, scrolls sideways">
      <Table>
        <Table.Thead>
          <Table.Tr>
            {["Name", "Scope", "Last used", "Expires"].map((column) => (
              <Table.Th key={column}>{column}</Table.Th>
            ))}
            <Table.Td />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {open.map((token) => (
            <Table.Tr key={token.id}>
              <Table.Td>{token.name}</Table.Td>
              <Table.Td>{token.scope}</Table.Td>
              <Table.Td>{ago(token.last_used_at)}</Table.Td>
              <Table.Td>{moment(token.expires_at)}</Table.Td>
              <Table.Td ta="right">
                <Button size="compact-xs" variant="light" color="red" onClick={() => revoke.mutate(token.id)}>
                  Revoke
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
