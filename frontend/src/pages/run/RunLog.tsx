/** The run's log; follows its end while that is in sight. */
import { Box, Button, Group, Skeleton, Switch, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { runLogs } from "../../api/runs";
import type { RunDetail } from "../../api/types";
import { saveText } from "../../figure/save";
import { clock } from "../../format/times";
import classes from "./RunLog.module.css";

const LOGLESS: Record<RunDetail["status"], string> = {
  queued: "Nothing is in the log before the run starts.",
  running: "Nothing is in the log yet.",
  succeeded: "The run ended without a line in its log.",
  failed: "The run ended without a line in its log; History says why it failed.",
  cancelled: "The run was cancelled without a line in its log.",
};

export function RunLog({ run }: { run: RunDetail }) {
  const { data: lines } = useQuery(runLogs(run.id));
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, lines]);
  if (!lines) return <Skeleton height={360} />;
  if (lines.length === 0)
    return (
      <Text c="dimmed" py="xl" ta="center">
        {LOGLESS[run.status]}
      </Text>
    );
  const text = () => lines.map((line) => `${line.at} ${line.level} ${line.text}`).join("\n");
  return (
    <>
      <Group justify="space-between" mb="xs">
        <Switch label="Follow" checked={follow} onChange={({ currentTarget }) => setFollow(currentTarget.checked)} />
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} />}
          onClick={() => saveText(`${run.id}.log`, text(), "text/plain")}
        >
          Download
        </Button>
      </Group>
      <Box ref={box} className={classes.log} tabIndex={0} role="log" aria-label="Log lines" aria-live="off">
        {lines.map((line) => (
          <div key={line.seq} className={classes.line} data-level={line.level}>
            <span className={classes.at}>{clock(line.at)}</span>
            <span className={classes.level}>{line.level}</span>
            <span className={classes.text}>{line.text}</span>
          </div>
        ))}
      </Box>
    </>
  );
}
