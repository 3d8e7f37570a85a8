/** Who is signed in: settings and signing out. Not there on a server without accounts. */
import { ActionIcon, Menu, Text } from "@mantine/core";
import { IconUserCircle } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { me, signOut } from "../api/accounts";
import { MenuItemLink } from "../components/links";
import { tellError } from "../components/tell";

export function AccountMenu() {
  const { data: who } = useQuery(me);
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: () => {
      client.clear();
      void navigate({ to: "/login" });
    },
    onError: tellError,
  });
  if (!who?.auth) return null;
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Account of ${who.name}`}>
          <IconUserCircle size={19} stroke={1.7} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {who.name}
          <Text size="xs" truncate>
            {who.email} · {who.role}
          </Text>
        </Menu.Label>
        <MenuItemLink to="/settings">Settings</MenuItemLink>
        <Menu.Item onClick={() => leave.mutate()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
