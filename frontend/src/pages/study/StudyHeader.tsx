/** Name, progress and what can be done with the study as a whole. */
import { Alert, Badge, Box, Group, Text } from "@mantine/core";
import type { StudyDetail } from "../../api/types";
import { CountsText, StatusProgress } from "../../components/StatusProgress";
import { count } from "../../format/numbers";
import { timeLeft } from "../../format/times";
import { StudyActions } from "./StudyActions";
import { StudyName } from "./StudyName";

export function StudyHeader({ study }: { study: StudyDetail }) {
  const { counts, queue_position: ahead } = study;
  const open = counts.queued + counts.running > 0;
  return (
    <Box component="header">
      <Group justify="space-between" align="start" wrap="nowrap" gap="sm">
        <Box miw={0} flex={1}>
          <StudyName study={study} />
          <Group gap={8}>
            <Text c="dimmed" size="sm">
              {study.model} × {study.dataset} · {count(study.arm_count, "arm")} × {count(study.seeds, "seed")}
            </Text>
            {study.paused && (
              <Badge size="sm" variant="light" color="yellow" tt="none">
                paused: no further run starts
              </Badge>
            )}
            {study.archived_at !== null && (
              <Badge size="sm" variant="light" color="gray" tt="none">
                archived
              </Badge>
            )}
          </Group>
        </Box>
        <StudyActions study={study} />
      </Group>
      <Box mt={open ? "xs" : 2}>
        {open && <StatusProgress counts={counts} progress={study.progress} size={6} />}
        <Group justify="space-between" mt={open ? 4 : 0} mih={18}>
          <CountsText counts={counts} />
          <Text size="xs" c="dimmed" className="number">
            {open && ahead !== null && ahead > 0 && `${count(ahead, "run")} of other studies first · `}
            {open && (study.eta_seconds === null ? "no estimate yet" : `${timeLeft(study.eta_seconds)} to go`)}
          </Text>
        </Group>
        {study.waits_for && (
          <Alert variant="light" color="yellow" mt="xs" py="xs" role="status">
            {study.waits_for}
          </Alert>
        )}
      </Box>
    </Box>
  );
}
