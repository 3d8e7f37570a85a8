/** A run's status as icon and word, the same words as in the API. */
import { Tooltip } from "@mantine/core";
import { IconBan, IconCheck, IconClock, IconPlayerPlay, IconX } from "@tabler/icons-react";
import type { RunStatus } from "../api/types";
import classes from "./StatusBadge.module.css";

const ICONS: Record<RunStatus, typeof IconX> = {
  queued: IconClock,
  running: IconPlayerPlay,
  succeeded: IconCheck,
  failed: IconX,
  cancelled: IconBan,
};

/** `reason`: a sentence beside the status, shown on hover and focus. */
export function StatusBadge({ status, reason }: { status: RunStatus; reason?: string | null }) {
  const Icon = ICONS[status];
  const badge = (
    <span className={classes.badge} data-status={status} tabIndex={reason ? 0 : undefined}>
      <Icon size={12} stroke={2.4} aria-hidden="true" />
      {status}
    </span>
  );
  return reason ? <Tooltip label={reason}>{badge}</Tooltip> : badge;
}
