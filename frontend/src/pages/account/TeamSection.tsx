/** The people of the workspace: roles, invitations, accounts that are shut. Admins only. */
import { Button, Group, NativeSelect, Paper, Table, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { changeUser, invitations, invite, revokeInvitation, users } from "../../api/accounts";
import type { Role, UserOut } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { tellError } from "../../components/tell";
import { isLoopback } from "../../format/hosts";
import { moment } from "../../format/times";
import { whole } from "../../api/root";

const ROLES: { value: Role; label: string }[] = [
  { value: "viewer", label: "viewer: reads" },
  { value: "member", label: "member: runs studies" },
  { value: "admin", label: "admin: manages people" },
];
const roleOf = (value: string): Role => ROLES.find((role) => role.value === value)?.value ?? "viewer";

export function TeamSection({ myself }: { myself: string }) {
  const client = useQueryClient();
  const people = useQuery(users);
  const change = useMutation({
    mutationFn: changeUser,
    onSuccess: () => client.invalidateQueries({ queryKey: users.queryKey }),
    onSettled: () => client.invalidateQueries({ queryKey: ["audit"] }),
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
            {people.data?.map((user) => (
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
            {user.active ? "Deactivate account" : "Reactivate account"}
          </Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function Invite() {
  const client = useQueryClient();
  const [role, setRole] = useState<Role>("member");
  const invited = useQuery(invitations);
  const [name, setName] = useState("");
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: invitations.queryKey }),
      client.invalidateQueries({ queryKey: ["audit"] }),
    ]);
  const make = useMutation({
    mutationFn: () => invite({ role, name: name.trim() || null }),
    onSuccess: () => {
      setName("");
      return refresh();
    },
    onError: tellError,
  });
  const revoke = useMutation({
    mutationFn: revokeInvitation,
    onSuccess: (_done, id) => {
      if (make.data?.id === id) make.reset(); // its link does not work any more
      return refresh();
    },
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
        <TextInput
          size="xs"
          label="For"
          placeholder="whose name you will know it by"
          maxLength={100}
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <Button size="xs" loading={make.isPending} onClick={() => make.mutate()}>
          Make an invitation
        </Button>
      </Group>
      {make.data && invited.data?.some(({ id }) => id === make.data.id) && (
        <div role="status">
          <Text size="sm" mt="sm" mb={4}>
            Send this link; it works once, until {moment(make.data.expires_at)}, and is not shown again.
          </Text>
          <CopyText text={whole(make.data.path)} label="Invitation link" />
          {isLoopback(location.hostname) && (
            <Text size="xs" c="var(--warn)" mt={6}>
              This address is this computer’s own: nobody else can open it.
            </Text>
          )}
        </div>
      )}
      {invited.data?.map((open) => (
        <Group key={open.id} justify="space-between" mt="xs">
          <Text size="sm" c="dimmed">
            An invitation {open.name ? `for ${open.name}, ` : ""}as {open.role}, open until {moment(open.expires_at)}
          </Text>
          <Button size="compact-xs" variant="light" color="red" onClick={() => revoke.mutate(open.id)}>
            Revoke
          </Button>
        </Group>
      ))}
    </>
  );
}
