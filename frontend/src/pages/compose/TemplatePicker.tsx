/** Ready-made studies to begin with. */
import { Button, Menu, Text } from "@mantine/core";
import { IconTemplate } from "@tabler/icons-react";
import { MenuItemLink } from "../../components/links";
import { TEMPLATES } from "./templates";

export function TemplatePicker() {
  return (
    <Menu position="bottom-end" width={340}>
      <Menu.Target>
        <Button variant="default" size="xs" flex="none" leftSection={<IconTemplate size={15} />}>
          Templates
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={440} style={{ overflowY: "auto" }}>
        {TEMPLATES.map(({ id, title, sentence }) => (
          <MenuItemLink key={id} to="/new" search={{ template: id }}>
            <Text size="sm" fw={600}>
              {title}
            </Text>
            <Text size="xs" c="dimmed">
              {sentence}
            </Text>
          </MenuItemLink>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
