/** Pause, cancel, extend, clone, archive. */
import { ActionIcon, Button, Group, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconArchive,
  IconArrowBackUp,
  IconBan,
  IconCopy,
  IconDots,
  IconFileText,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlus,
} from "@tabler/icons-react";
import type { StudyDetail } from "../../api/types";
import { ButtonLink, MenuItemLink } from "../../components/links";
import { useArchive } from "../../components/useArchive";
import { CancelDialog } from "./CancelDialog";
import { ExtendDialog } from "./ExtendDialog";
import { useStudyChanges } from "./useStudyChanges";

export function StudyActions({ study }: { study: StudyDetail }) {
  const { update } = useStudyChanges(study.id);
  const { archive, restore } = useArchive();
  const [extending, extend] = useDisclosure(false);
  const [cancelling, cancel] = useDisclosure(false);
  const open = study.counts.queued + study.counts.running > 0;
  return (
    <Group gap={6} wrap="nowrap" className="no-print">
      {open && (
        <Button
          size="xs"
          variant="default"
          visibleFrom="sm"
          leftSection={study.paused ? <IconPlayerPlay size={14} /> : <IconPlayerPause size={14} />}
          loading={update.isPending}
          onClick={() => update.mutate({ paused: !study.paused })}
        >
          {study.paused ? "Go on" : "Pause"}
        </Button>
      )}
      <Button size="xs" variant="default" visibleFrom="sm" leftSection={<IconPlus size={14} />} onClick={extend.open}>
        Extend
      </Button>
      <ButtonLink
        to="/studies/$studyId/report"
        params={{ studyId: study.id }}
        size="xs"
        variant="default"
        visibleFrom="sm"
        leftSection={<IconFileText size={14} />}
      >
        Report
      </ButtonLink>
      <Menu position="bottom-end" width={210}>
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label="More actions">
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item hiddenFrom="sm" leftSection={<IconPlus size={15} />} onClick={extend.open}>
            Extend
          </Menu.Item>
          {open && (
            <Menu.Item
              hiddenFrom="sm"
              leftSection={study.paused ? <IconPlayerPlay size={15} /> : <IconPlayerPause size={15} />}
              onClick={() => update.mutate({ paused: !study.paused })}
            >
              {study.paused ? "Go on" : "Pause"}
            </Menu.Item>
          )}
          <MenuItemLink
            to="/studies/$studyId/report"
            params={{ studyId: study.id }}
            hiddenFrom="sm"
            leftSection={<IconFileText size={15} />}
          >
            Report
          </MenuItemLink>
          <MenuItemLink to="/new" search={{ from: study.id }} leftSection={<IconCopy size={15} />}>
            Clone and edit
          </MenuItemLink>
          {open ? (
            <Menu.Item color="red" leftSection={<IconBan size={15} />} onClick={cancel.open}>
              Cancel all runs
            </Menu.Item>
          ) : study.archived_at === null ? (
            <Menu.Item leftSection={<IconArchive size={15} />} onClick={() => archive.mutate(study)}>
              Archive
            </Menu.Item>
          ) : (
            <Menu.Item leftSection={<IconArrowBackUp size={15} />} onClick={() => restore.mutate(study.id)}>
              Restore
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <ExtendDialog study={study} opened={extending} onClose={extend.close} />
      <CancelDialog study={study} opened={cancelling} onClose={cancel.close} />
    </Group>
  );
}
