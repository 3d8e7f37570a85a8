/** What can be done with the chosen studies together: archive or restore them, and give them tags. */
import { Button, Group, Paper, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconArchive, IconArrowBackUp, IconTag } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import type { StudySummary } from "../../api/types";
import { useArchive } from "../../components/useArchive";
import { count } from "../../format/numbers";

const TagsDialog = lazy(() => import("./TagsDialog"));

export function ChosenStudies({ studies, onDone }: { studies: StudySummary[]; onDone: () => void }) {
  const { archive, restore } = useArchive();
  const [tagging, tags] = useDisclosure(false);
  const archived = studies.filter((study) => study.archived_at !== null);
  const here = studies.filter((study) => study.archived_at === null);
  const open = here.filter(({ counts }) => counts.queued + counts.running > 0);
  const ended = here.filter((study) => !open.includes(study));
  const many = (n: number) => count(n, "study", "studies");
  return (
    <Paper
      component="section"
      aria-label="Chosen studies"
      px="sm"
      py={6}
      radius="md"
      pos="sticky"
      top={60}
      style={{ zIndex: 3 }}
    >
      <Group gap="sm">
        <Text size="sm" fw={550} className="number">
          {many(studies.length)} chosen
        </Text>
        {ended.length > 0 && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconArchive size={14} />}
            loading={archive.isPending}
            onClick={() => archive.mutate(ended, { onSuccess: onDone })}
          >
            Archive {ended.length}
          </Button>
        )}
        {archived.length > 0 && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconArrowBackUp size={14} />}
            loading={restore.isPending}
            onClick={() => restore.mutate(archived, { onSuccess: onDone })}
          >
            Restore {archived.length}
          </Button>
        )}
        <Button size="xs" variant="default" leftSection={<IconTag size={14} />} onClick={tags.open}>
          Tags
        </Button>
        <Button size="xs" variant="subtle" onClick={onDone}>
          Choose none
        </Button>
        {open.length > 0 && (
          <Text size="xs" c="dimmed">
            {many(open.length)} with runs that wait or train can be archived once these are cancelled or done.
          </Text>
        )}
      </Group>
      <Suspense>{tagging && <TagsDialog studies={studies} onClose={tags.close} />}</Suspense>
    </Paper>
  );
}
