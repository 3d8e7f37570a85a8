/** One study on the home page: what it is, how far it is, and what it found. */
import { Badge, Box, Group, Paper, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { StudySummary } from "../../api/types";
import { CountsText, StatusProgress } from "../../components/StatusProgress";
import { count } from "../../format/numbers";
import { ago, moment, timeLeft } from "../../format/times";
import { BestArm } from "./BestArm";
import { StudyMenu } from "./StudyMenu";
import classes from "./StudyRow.module.css";

export function StudyRow({ study, marked }: { study: StudySummary; marked: boolean }) {
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (marked) link.current?.focus();
  }, [marked]);
  const { counts } = study;
  const open = counts.queued + counts.running > 0;
  const ahead = study.queue_position ?? 0;
  return (
    <Paper className={classes.row} component="article" aria-label={study.name}>
      <Box className={classes.what}>
        <Group gap={8} wrap="nowrap">
          <Link ref={link} to="/studies/$studyId" params={{ studyId: study.id }} className={classes.name} dir="auto">
            {study.name}
          </Link>
          {study.paused && (
            <Badge size="xs" variant="light" color="yellow" tt="none">
              paused
            </Badge>
          )}
        </Group>
        <Text size="xs" c="dimmed" truncate>
          {study.model} × {study.dataset} · {count(study.arm_count, "arm")} × {count(study.seeds, "seed")}
        </Text>
      </Box>
      <Box className={classes.progress}>
        <StatusProgress counts={counts} progress={study.progress} />
        <Group justify="space-between" mt={5} wrap="nowrap">
          <CountsText counts={counts} />
          {open && (
            <Text size="xs" c="dimmed" className="number">
              {ahead > 0 ? `${count(ahead, "run")} first` : ""}
              {ahead > 0 && study.eta_seconds !== null ? " · " : ""}
              {study.eta_seconds === null ? "" : `${timeLeft(study.eta_seconds)} left`}
            </Text>
          )}
        </Group>
      </Box>
      <Box className={classes.best}>{counts.succeeded > 0 && <BestArm study={study} />}</Box>
      <Text size="xs" c="dimmed" className={classes.when} title={moment(study.last_activity_at)}>
        {ago(study.last_activity_at)}
      </Text>
      <StudyMenu study={study} />
    </Paper>
  );
}
