/** What can be done with a study from the list: clone it, tag it, put it away, take it back, delete it. Opens at once. */
import { ActionIcon, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconArchive, IconCopy, IconDots, IconTag } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import type { StudySummary } from "../../api/types";
import { ArchivedItems } from "../../components/ArchivedItems";
import { DeleteStudyDialog } from "../../components/DeleteStudyDialog";
import { MenuItemLink } from "../../components/links";
import { useArchive } from "../../components/useArchive";

const TagsDialog = lazy(() => import("./TagsDialog"));

export function StudyMenu({ study }: { study: StudySummary }) {
  const { archive, restore } = useArchive();
  const [deleting, remove] = useDisclosure(false);
  const [tagging, tags] = useDisclosure(false);
  const open = study.counts.queued + study.counts.running > 0;
  return (
    <>
      <Menu position="bottom-end" width={210} defaultOpened>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${study.name}`} style={{ zIndex: 1 }}>
            <IconDots size={17} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <MenuItemLink to="/new" search={{ from: study.id }} leftSection={<IconCopy size={15} />}>
            Clone and edit
          </MenuItemLink>
          <Menu.Item leftSection={<IconTag size={15} />} onClick={tags.open}>
            Tags
          </Menu.Item>
          {study.archived_at === null ? (
            <Menu.Item leftSection={<IconArchive size={15} />} disabled={open} onClick={() => archive.mutate([study])}>
              {open ? "Archive (cancel its runs first)" : "Archive"}
            </Menu.Item>
          ) : (
            <ArchivedItems onRestore={() => restore.mutate([study])} onDelete={remove.open} />
          )}
        </Menu.Dropdown>
      </Menu>
      <DeleteStudyDialog study={study} opened={deleting} onClose={remove.close} />
      <Suspense>{tagging && <TagsDialog studies={[study]} onClose={tags.close} />}</Suspense>
    </>
  );
}
