/** What can be done with a study from the list: clone it, put it away, take it back, delete it. */
import { ActionIcon, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconArchive, IconCopy, IconDots } from "@tabler/icons-react";
import { useMayChange } from "../../api/accounts";
import type { StudySummary } from "../../api/types";
import { ArchivedItems } from "../../components/ArchivedItems";
import { DeleteStudyDialog } from "../../components/DeleteStudyDialog";
import { MenuItemLink } from "../../components/links";
import { useArchive } from "../../components/useArchive";

export function StudyMenu({ study }: { study: StudySummary }) {
  const { archive, restore } = useArchive();
  const mayChange = useMayChange();
  const [deleting, remove] = useDisclosure(false);
  const open = study.counts.queued + study.counts.running > 0;
  if (!mayChange) return null;
  return (
    <>
      <Menu position="bottom-end" width={210}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${study.name}`} style={{ zIndex: 1 }}>
            <IconDots size={17} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <MenuItemLink to="/new" search={{ from: study.id }} leftSection={<IconCopy size={15} />}>
            Clone and edit
          </MenuItemLink>
          {study.archived_at === null ? (
            <Menu.Item
              leftSection={<IconArchive size={15} />}
              disabled={open}
              onClick={() => archive.mutate({ id: study.id, name: study.name })}
            >
              {open ? "Archive (cancel its runs first)" : "Archive"}
            </Menu.Item>
          ) : (
            <ArchivedItems onRestore={() => restore.mutate(study.id)} onDelete={remove.open} />
          )}
        </Menu.Dropdown>
      </Menu>
      <DeleteStudyDialog study={study} opened={deleting} onClose={remove.close} />
    </>
  );
}
