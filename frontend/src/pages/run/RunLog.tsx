/** The run's log; follows its end while that is in sight. */
import { Box, Button, Group, Skeleton, Switch, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { runLogs } from "../../api/runs";
import { saveText } from "../../figure/save";
import { clock } from "../../format/times";
import classes from "./RunLog.module.css";

export function RunLog({ runId }: { runId: string }) {
  const { data: lines } = useQuery(runLogs(runId));
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, lines]);
  if (!lines) return <Skeleton height={360} />;
  if (lines.length === 0)
    return (
      <Text c="dimmed" py="xl" ta="center">
        The run has not said anything yet.
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
          onClick={() => saveText(`${runId}.log`, text(), "text/plain")}
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
