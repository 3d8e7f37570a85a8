/** Every arm with its colour, how many of its seeds are done, and an eye that shows or hides it. */
import { ActionIcon, Group, Skeleton, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { IconEye, IconEyeOff } from "@tabler/icons-react";
import { useState } from "react";
import type { ArmComparison } from "../../../api/types";
import { useKeys } from "../../../components/keys";
import { ArmMark } from "../../../components/ArmMark";
import classes from "./ArmToggles.module.css";
import { useView } from "../useView";

/** With more arms than this the list gets a filter. */
const MANY = 12;

export function ArmToggles({ arms }: { arms: ArmComparison[] | undefined }) {
  const { hidden, change, toggle } = useView();
  const [marked, setMarked] = useState(-1);
  const [words, setWords] = useState("");
  const listed = arms?.filter((arm) => arm.label.toLowerCase().includes(words.trim().toLowerCase())) ?? [];
  const at = listed[marked];
  useKeys({
    j: () => setMarked(Math.min(listed.length - 1, marked + 1)),
    k: () => setMarked(Math.max(0, marked - 1)),
    x: () => at && toggle(at.id),
    c: () => at && change({ baseline: at.id }),
  });
  if (!arms) return <Skeleton height={180} />;
  const only = (ids: string[]) => change({ hide: arms.filter((arm) => !ids.includes(arm.id)).map((arm) => arm.id) });
  return (
    <>
      {arms.length > MANY && (
        <TextInput
          size="xs"
          type="search"
          aria-label="Filter arms"
          placeholder="Filter arms"
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
      )}
      <Stack gap={1} role="group" aria-labelledby="arms-shown" className={classes.list}>
        {listed.map((arm) => (
          <ArmLine
            key={arm.id}
            arm={arm}
            shown={!hidden.has(arm.id)}
            marked={arm === at}
            onToggle={() => toggle(arm.id)}
            onOnly={() => only([arm.id, ...arms.filter(({ is_baseline }) => is_baseline).map(({ id }) => id)])}
          />
        ))}
      </Stack>
      <Group gap="md">
        {words.trim() !== "" && (
          <UnstyledButton className={classes.link} onClick={() => only(listed.map((arm) => arm.id))}>
            Show only these {listed.length}
          </UnstyledButton>
        )}
        {hidden.size > 0 && (
          <UnstyledButton className={classes.link} onClick={() => change({ hide: [] })}>
            Show all arms
          </UnstyledButton>
        )}
      </Group>
    </>
  );
}

interface ArmLineProps {
  arm: ArmComparison;
  shown: boolean;
  marked: boolean;
  onToggle: () => void;
  onOnly: () => void;
}

function ArmLine({ arm, shown, marked, onToggle, onOnly }: ArmLineProps) {
  return (
    <Group gap={6} wrap="nowrap" className={classes.arm} data-arm={arm.id} data-marked={marked || undefined}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-pressed={shown}
        aria-label={`Show ${arm.label}`}
        onClick={onToggle}
      >
        {shown ? <IconEye size={15} /> : <IconEyeOff size={15} />}
      </ActionIcon>
      <UnstyledButton className={classes.label} onClick={onOnly} title={`Show only ${arm.label}, and the baseline`}>
        <ArmMark arm={arm} faded={!shown} />
        <Text span size="xs" truncate c={shown ? undefined : "dimmed"} fw={arm.is_baseline ? 650 : 450} dir="auto">
          {arm.label}
        </Text>
      </UnstyledButton>
      <Text size="xs" c="dimmed" className="number">
        {arm.counts.succeeded}/{arm.counts.total}
      </Text>
    </Group>
  );
}
