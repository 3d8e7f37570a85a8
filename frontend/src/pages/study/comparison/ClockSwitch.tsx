/** When runs are judged: at their last step, or stopped in time at their best evaluation. */
import { SegmentedControl, Text } from "@mantine/core";
import { useId } from "react";
import type { Comparison } from "../../../api/types";
import { CLOCKS } from "../search";
import { useView } from "../useView";

export function ClockSwitch({ comparison }: { comparison: Comparison | undefined }) {
  const { change } = useView();
  const id = useId();
  const known = comparison?.clocks ?? ["last"];
  return (
    <div>
      <Text size="xs" fw={600} mb={3} id={id}>
        Every run judged
      </Text>
      <SegmentedControl
        fullWidth
        size="xs"
        aria-labelledby={id}
        value={comparison?.clock ?? "last"}
        onChange={(clock) => change({ clock: CLOCKS.find(({ value }) => value === clock)?.value })}
        data={CLOCKS.map((clock) => ({ ...clock, disabled: !known.includes(clock.value) }))}
      />
      {comparison?.clock_note && (
        <Text size="xs" c="dimmed" mt={4}>
          Its runs were trained before halves of the validation rows were recorded: what they are worth stopped in time
          is not known. A clone of the study tells.
        </Text>
      )}
    </div>
  );
}
