/** Every arm with its colour, how many of its seeds are done, and an eye that shows or hides it. */
import { ActionIcon, Group, Skeleton, Stack, Text, UnstyledButton } from "@mantine/core";
import { IconEye, IconEyeOff } from "@tabler/icons-react";
import { useState } from "react";
import type { ArmComparison } from "../../api/types";
import { useKeys } from "../../app/keys";
import { ArmMark } from "../../components/ArmMark";
import classes from "./ArmToggles.module.css";
import { useView } from "./useView";

export function ArmToggles({ arms }: { arms: ArmComparison[] | undefined }) {
  const { hidden, toggle, change } = useView();
  const [marked, setMarked] = useState(-1);
  const last = (arms?.length ?? 0) - 1;
  useKeys({
    j: () => setMarked((at) => Math.min(last, at + 1)),
    k: () => setMarked((at) => Math.max(0, at - 1)),
    x: () => arms?.[marked] && toggle(arms[marked].id),
    c: () => arms?.[marked] && change({ baseline: arms[marked].id }),
  });
  if (!arms) return <Skeleton height={180} />;
  const only = (id: string) => change({ hide: arms.filter((arm) => arm.id !== id).map((arm) => arm.id) });
  return (
    <Stack gap={1} role="group" aria-labelledby="arms-shown">
      {arms.map((arm, at) => {
        const shown = !hidden.has(arm.id);
        return (
          <Group key={arm.id} gap={6} wrap="nowrap" className={classes.arm} data-marked={at === marked || undefined}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-pressed={shown}
              aria-label={`Show ${arm.label}`}
              onClick={() => toggle(arm.id)}
            >
              {shown ? <IconEye size={15} /> : <IconEyeOff size={15} />}
            </ActionIcon>
            <UnstyledButton className={classes.label} onClick={() => only(arm.id)} title={`Show only ${arm.label}`}>
              <ArmMark arm={arm} faded={!shown} />
              <Text
                span
                size="xs"
                truncate
                c={shown ? undefined : "dimmed"}
                fw={arm.is_baseline ? 650 : 450}
                dir="auto"
              >
                {arm.label}
              </Text>
            </UnstyledButton>
            <Text size="xs" c="dimmed" className="number">
              {arm.counts.succeeded}/{arm.counts.total}
            </Text>
          </Group>
        );
      })}
      {hidden.size > 0 && (
        <UnstyledButton fz="xs" c="var(--mantine-color-anchor)" mt={4} onClick={() => change({ hide: [] })}>
          Show all arms
        </UnstyledButton>
      )}
    </Stack>
  );
}
