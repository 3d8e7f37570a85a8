/** A run's status as icon and word, the same words as in the API. */
import { Badge, Tooltip } from "@mantine/core";
import { IconBan, IconCheck, IconClock, IconPlayerPlay, IconX } from "@tabler/icons-react";
import type { RunStatus } from "../api/types";

const LOOK = {
  queued: { colour: "gray", Icon: IconClock },
  running: { colour: "blue", Icon: IconPlayerPlay },
  succeeded: { colour: "teal", Icon: IconCheck },
  failed: { colour: "red", Icon: IconX },
  cancelled: { colour: "gray", Icon: IconBan },
} satisfies Record<RunStatus, { colour: string; Icon: typeof IconX }>;

export function StatusBadge({ status, reason }: { status: RunStatus; reason?: string | null }) {
  const { colour, Icon } = LOOK[status];
  const badge = (
    <Badge
      variant="light"
      color={colour}
      size="sm"
      tt="none"
      fw={600}
      miw="max-content"
      leftSection={<Icon size={12} stroke={2.2} />}
    >
      {status}
    </Badge>
  );
  return reason ? <Tooltip label={reason}>{badge}</Tooltip> : badge;
}
