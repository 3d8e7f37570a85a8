/** The people of the workspace: roles, invitations, accounts that are shut. Admins only. */
import { Button, Group, NativeSelect, Paper, Table, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { unwrap } from "../../api/problem";
import type { Role, UserOut } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { tellError } from "../../components/tell";
import { moment } from "../../format/times";

const KEY = ["users"];
const INVITED = ["invitations"];
const ROLES: { value: Role; label: string }[] = [
  { value: "viewer", label: "viewer: reads" },
  { value: "member", label: "member: runs studies" },
  { value: "admin", label: "admin: manages people" },
];
const roleOf = (value: string): Role => ROLES.find((role) => role.value === value)?.value ?? "viewer";

export function TeamSection({ myself }: { myself: string }) {
  const client = useQueryClient();
  const users = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/users", { signal })).items,
  });
  const change = useMutation({
    mutationFn: async ({ id, ...body }: { id: string; role?: Role; active?: boolean }) =>
      unwrap(await api.PATCH("/api/v1/users/{user_id}", { params: { path: { user_id: id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: KEY }),
    onError: tellError,
  });
  return (
    <Paper p="md" component="section" aria-label="People">
      <Title order={2} mb="xs">
        People
      </Title>
      <Table.ScrollContainer minWidth={560} type="native" tabIndex={0} aria-label="People, scrolls sideways">
        <Table>
          <Table.Tbody>
            {users.data?.map((user) => (
              <Person key={user.id} user={user} myself={user.id === myself} onChange={change.mutate} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Invite />
    </Paper>
  );
}

interface PersonProps {
  user: UserOut;
  myself: boolean;
  onChange: (change: { id: string; role?: Role; active?: boolean }) => void;
}

function Person({ user, myself, onChange }: PersonProps) {
  return (
    <Table.Tr>
      <Table.Td>
        {user.name}
        <Text span size="xs" c="dimmed">
          {" "}
          {user.email}
        </Text>
      </Table.Td>
      <Table.Td>
        <NativeSelect
          size="xs"
          aria-label={`Role of ${user.name}`}
          data={ROLES}
          value={user.role}
          disabled={myself || !user.active}
          onChange={({ currentTarget }) => onChange({ id: user.id, role: roleOf(currentTarget.value) })}
        />
      </Table.Td>
      <Table.Td ta="right">
        {!myself && (
          <Button
            size="compact-xs"
            variant="light"
            color={user.active ? "red" : "ink"}
            onClick={() => onChange({ id: user.id, active: !user.active })}
          >
            {user.active ? "Shut the account" : "Open the account"}
          </Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function Invite() {
  const client = useQueryClient();
  const [role, setRole] = useState<Role>("member");
  const invited = useQuery({
    queryKey: INVITED,
    queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/invitations", { signal })).items,
  });
  const refresh = () => client.invalidateQueries({ queryKey: INVITED });
  const invite = useMutation({
    mutationFn: async () => unwrap(await api.POST("/api/v1/invitations", { body: { role } })),
    onSuccess: refresh,
    onError: tellError,
  });
  const revoke = useMutation({
    mutationFn: async (id: string) =>
      unwrap(await api.DELETE("/api/v1/invitations/{invitation_id}", { params: { path: { invitation_id: id } } })),
    onSuccess: refresh,
    onError: tellError,
  });
  return (
    <>
      <Group align="end" gap="sm" mt="md">
        <NativeSelect
          size="xs"
          label="Invite a"
          data={ROLES}
          value={role}
          onChange={({ currentTarget }) => setRole(roleOf(currentTarget.value))}
        />
        <Button size="xs" loading={invite.isPending} onClick={() => invite.mutate()}>
          Make an invitation
        </Button>
      </Group>
      {invite.data && (
        <div role="status">
          <Text size="sm" mt="sm" mb={4}>
            Send this link; it works once, until {moment(invite.data.expires_at)}, and is not shown again.
          </Text>
          <CopyText text={location.origin + invite.data.path} label="Invitation link" />
        </div>
      )}
      {invited.data?.map((open) => (
        <Group key={open.id} justify="space-between" mt="xs">
          <Text size="sm" c="dimmed">
            An invitation as {open.role}, open until {moment(open.expires_at)}
          </Text>
          <Button size="compact-xs" variant="light" color="red" onClick={() => revoke.mutate(open.id)}>
            Take back
          </Button>
        </Group>
      ))}
    </>
  );
}
