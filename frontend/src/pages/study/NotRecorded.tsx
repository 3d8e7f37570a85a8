/** Says that the address asks for a metric or a clock that this study has not recorded, and what is shown instead. */
import { Alert } from "@mantine/core";
import type { Comparison } from "../../api/types";
import type { View } from "../../api/view";

interface NotRecordedProps {
  asked: View;
  /** What is shown; undefined while something else is asked for. */
  shown: Comparison | undefined;
}

export function NotRecorded({ asked, shown }: NotRecordedProps) {
  if (!shown) return null;
  const missing = [
    ...(asked.metric === shown.metric ? [] : [`“${asked.metric}”; arms are ranked by validation loss`]),
    ...(asked.clock === shown.clock
      ? []
      : ["what its runs are worth stopped in time; arms are judged at the last step"]),
  ];
  return missing.map((what) => (
    <Alert key={what} variant="light" color="gray" py="xs" role="status">
      So far this study has not recorded {what}.
    </Alert>
  ));
}
