/** The dot that says whether the page follows the training. */
import { Group, Text, Tooltip } from "@mantine/core";
import { useLiveStatus, type LiveStatus } from "./status";
import classes from "./LiveDot.module.css";

const WORDS: Record<Exclude<LiveStatus, "off">, [string, string]> = {
  live: ["Live", "Every change shows by itself."],
  reconnecting: ["Reconnecting", "The stream broke off; nothing is lost, the page catches up when it is back."],
  polling: ["Polling", "No stream can be held open; the page asks for changes every few seconds."],
  paused: ["Paused", "Updates wait while this tab is hidden or paused."],
};

export function LiveDot() {
  const status = useLiveStatus();
  if (status === "off") return null;
  const [word, sentence] = WORDS[status];
  return (
    <Tooltip label={sentence}>
      <Group gap={7} wrap="nowrap" px={8} role="status" aria-live="polite">
        <span className={classes.dot} data-status={status} />
        <Text size="xs" c="dimmed" visibleFrom="xs">
          {word}
        </Text>
      </Group>
    </Tooltip>
  );
}
