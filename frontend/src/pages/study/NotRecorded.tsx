/** Says that the address asks for a metric that this study has not recorded, and what is shown instead. */
import { Alert } from "@mantine/core";
import type { Metric } from "../../api/types";

export function NotRecorded({ asked, shown }: { asked: Metric; shown: Metric }) {
  if (asked === shown) return null;
  return (
    <Alert variant="light" color="gray" py="xs" role="status">
      So far this study has not recorded “{asked}”; arms are ranked by validation loss.
    </Alert>
  );
}
