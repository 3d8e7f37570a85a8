/** The left rail: how to look (baseline, x axis, band) and which arms to draw. */
import { Button, Checkbox, Collapse, Group, NativeSelect, Paper, SegmentedControl, Stack, Text } from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";
import type { Comparison, Metric } from "../../../api/types";
import { ArmToggles } from "./ArmToggles";
import { ClockSwitch } from "./ClockSwitch";
import { BANDS, X_AXES } from "../search";
import { useView } from "../useView";

interface ArmRailProps {
  comparison: Comparison | undefined;
  /** The study's own baseline. */
  baselineId: string | null;
  /** What arms are ranked by. */
  metric: Metric;
}

export function ArmRail(props: ArmRailProps) {
  const narrow = useMediaQuery("(max-width: 62em)");
  const [opened, { toggle }] = useDisclosure(false);
  const rail = <Rail {...props} />;
  if (!narrow)
    return (
      <Paper
        component="aside"
        aria-label="View"
        p="sm"
        pos="sticky"
        top={66}
        mah="calc(100vh - 80px)"
        style={{ overflowY: "auto" }}
      >
        {rail}
      </Paper>
    );
  return (
    <Paper component="aside" aria-label="View" p="sm">
      <Button
        variant="subtle"
        color="gray"
        fullWidth
        leftSection={<IconAdjustmentsHorizontal size={16} />}
        onClick={toggle}
        aria-expanded={opened}
      >
        Arms and view
      </Button>
      <Collapse expanded={opened}>{rail}</Collapse>
    </Paper>
  );
}

function Rail({ comparison, baselineId, metric }: ArmRailProps) {
  const { search, query, change } = useView();
  return (
    <Stack gap="sm">
      <NativeSelect
        label="Compared with"
        size="xs"
        value={query.baseline ?? baselineId ?? ""}
        onChange={({ currentTarget }) =>
          change({ baseline: currentTarget.value === baselineId ? undefined : currentTarget.value })
        }
        data={comparison?.arms.map((arm) => ({ value: arm.id, label: arm.label })) ?? []}
      />
      <NativeSelect
        label="Ranked by"
        size="xs"
        value={metric}
        onChange={({ currentTarget }) => change({ metric: currentTarget.value as Metric })}
        data={
          comparison?.metrics
            .filter(({ compared }) => compared)
            .map(({ name, short_title }) => ({ value: name, label: short_title })) ?? []
        }
      />
      <ClockSwitch comparison={comparison} />
      <div>
        <Text size="xs" fw={600} mb={3} id="x-axis">
          Along
        </Text>
        <SegmentedControl
          fullWidth
          size="xs"
          aria-labelledby="x-axis"
          value={query.x}
          onChange={(x) => change({ x: X_AXES.find((axis) => axis.value === x)?.value })}
          data={X_AXES}
        />
      </div>
      <Checkbox
        size="xs"
        label="Losses on a logarithmic axis"
        checked={search.log ?? false}
        onChange={({ currentTarget }) => change({ log: currentTarget.checked || undefined })}
      />
      <NativeSelect
        label="Band"
        size="xs"
        value={query.band}
        onChange={({ currentTarget }) =>
          change({ band: BANDS.find((kind) => kind.value === currentTarget.value)?.value })
        }
        data={BANDS}
      />
      <Group justify="space-between" mt={4}>
        <Text size="xs" fw={600} id="arms-shown">
          Arms
        </Text>
        <Text size="xs" c="dimmed">
          seeds done
        </Text>
      </Group>
      <ArmToggles arms={comparison?.arms} />
    </Stack>
  );
}
