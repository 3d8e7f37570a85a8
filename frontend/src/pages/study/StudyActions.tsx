/** Pause, extend, share, report; in the menu what is rarer: clone, queue, cancel, archive, delete. A viewer has the report only. */
import { ActionIcon, Button, Group, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconArchive,
  IconArrowBarToUp,
  IconBan,
  IconCopy,
  IconDots,
  IconFileText,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlus,
  IconRefresh,
  IconShare,
  IconTrash,
} from "@tabler/icons-react";
import { useMayChange } from "../../api/accounts";
import type { StudyDetail } from "../../api/types";
import { ArchivedItems } from "../../components/ArchivedItems";
import { DeleteStudyDialog } from "../../components/DeleteStudyDialog";
import { ButtonLink, MenuItemLink } from "../../components/links";
import { ShareDialog } from "./ShareDialog";
import { useArchive } from "../../components/useArchive";
import { CancelDialog } from "./CancelDialog";
import { ExtendDialog } from "./ExtendDialog";
import { PurgeDialog } from "./PurgeDialog";
import { useStudyChanges } from "./useStudyChanges";
import { useStudyQueue } from "./useStudyQueue";

export function StudyActions({ study }: { study: StudyDetail }) {
  const mayChange = useMayChange();
  return (
    <Group gap={6} wrap="nowrap" className="no-print">
      <ButtonLink
        to="/studies/$studyId/report"
        params={{ studyId: study.id }}
        size="xs"
        variant="default"
        leftSection={<IconFileText size={14} />}
      >
        Report
      </ButtonLink>
      {mayChange && <Changes study={study} />}
    </Group>
  );
}

function Changes({ study }: { study: StudyDetail }) {
  const { update } = useStudyChanges(study.id);
  const { archive, restore } = useArchive();
  const { front, retryFailed } = useStudyQueue(study.id);
  const [extending, extend] = useDisclosure(false);
  const [cancelling, cancel] = useDisclosure(false);
  const [sharing, share] = useDisclosure(false);
  const [purging, purge] = useDisclosure(false);
  const [deleting, remove] = useDisclosure(false);
  const open = study.counts.queued + study.counts.running > 0;
  const pause = {
    label: study.paused ? "Go on" : "Pause",
    Icon: study.paused ? IconPlayerPlay : IconPlayerPause,
    act: () => update.mutate({ paused: !study.paused }),
  };
  const often = [
    ...(open ? [pause] : []),
    { label: "Extend", Icon: IconPlus, act: extend.open },
    { label: "Share", Icon: IconShare, act: share.open },
  ];
  return (
    <>
      {often.map(({ label, Icon, act }) => (
        <Button key={label} size="xs" variant="default" visibleFrom="md" leftSection={<Icon size={14} />} onClick={act}>
          {label}
        </Button>
      ))}
      <Menu position="bottom-end" width={210}>
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label="More actions">
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {often.map(({ label, Icon, act }) => (
            <Menu.Item key={label} hiddenFrom="md" leftSection={<Icon size={15} />} onClick={act}>
              {label}
            </Menu.Item>
          ))}
          <MenuItemLink to="/new" search={{ from: study.id }} leftSection={<IconCopy size={15} />}>
            Clone and edit
          </MenuItemLink>
          {(study.queue_position ?? 0) > 0 && (
            <Menu.Item leftSection={<IconArrowBarToUp size={15} />} onClick={() => front.mutate()}>
              Move to the front
            </Menu.Item>
          )}
          {study.counts.failed > 0 && study.archived_at === null && (
            <Menu.Item leftSection={<IconRefresh size={15} />} onClick={() => retryFailed.mutate()}>
              Retry {study.counts.failed} failed
            </Menu.Item>
          )}
          {!open && (
            <Menu.Item leftSection={<IconTrash size={15} />} onClick={purge.open}>
              Delete files
            </Menu.Item>
          )}
          {open ? (
            <Menu.Item color="red" leftSection={<IconBan size={15} />} onClick={cancel.open}>
              Cancel all runs
            </Menu.Item>
          ) : study.archived_at === null ? (
            <Menu.Item leftSection={<IconArchive size={15} />} onClick={() => archive.mutate([study])}>
              Archive
            </Menu.Item>
          ) : (
            <ArchivedItems onRestore={() => restore.mutate([study])} onDelete={remove.open} />
          )}
        </Menu.Dropdown>
      </Menu>
      <ExtendDialog study={study} opened={extending} onClose={extend.close} />
      <CancelDialog study={study} opened={cancelling} onClose={cancel.close} />
      <DeleteStudyDialog study={study} opened={deleting} onClose={remove.close} />
      <PurgeDialog study={study} opened={purging} onClose={purge.close} />
      <ShareDialog studyId={study.id} opened={sharing} onClose={share.close} />
    </>
  );
}
