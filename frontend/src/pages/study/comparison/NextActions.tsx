/** What follows from the verdict: take the adapter, copy the code, repeat it stopped in time, plan a larger study. */
import { Button, Group, Modal, Text, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconCode, IconDownload, IconPlayerStop, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMayChange } from "../../../api/accounts";
import { models } from "../../../api/catalogue";
import type { Comparison, StudyDetail } from "../../../api/types";
import { CopyText } from "../../../components/CopyText";
import { GetAdapter } from "./GetAdapter";
import { NextLook } from "./NextLook";
import { peftCode } from "./peftCode";

interface NextActionsProps {
  comparison: Comparison;
  /** Undefined where there is only a share link. */
  study: StudyDetail | undefined;
}

const SHARED = "A share link shows what was found; who has an account on this server can do this.";
const VIEWER = "This needs the role member; a viewer may read and take away.";

export function NextActions({ comparison, study }: NextActionsProps) {
  const mayChange = useMayChange(study !== undefined);
  const navigate = useNavigate();
  const [taking, take] = useDisclosure(false);
  const [copying, copy] = useDisclosure(false);
  const { verdict } = comparison;
  const advised = comparison.arms.find(({ id }) => id === verdict.arm_id);
  const early = advised ? undefined : "Nothing is advised yet.";
  const change = study === undefined ? SHARED : mayChange ? undefined : VIEWER;
  const { further } = verdict;
  const stop = () =>
    void navigate({
      to: "/new",
      search: {
        from: comparison.study_id,
        arms: [...new Set([verdict.arm_id ?? "", ...verdict.to_the_end])],
        patience: 1,
      },
    });
  const plan = () =>
    further?.seeds &&
    void navigate({
      to: "/new",
      search: {
        from: comparison.study_id,
        seeds: further.seeds,
        metric: further.metric,
        smallest: further.smallest,
        ...(further.clock === "stopped" ? { clock: further.clock } : {}),
      },
    });
  return (
    <Group gap={8} className="no-print" role="group" aria-label="Next">
      <Action
        main
        icon={<IconDownload size={15} />}
        why={study === undefined ? SHARED : (early ?? (verdict.take ? undefined : "No run of it has finished yet."))}
        told={verdict.take?.rule}
        act={take.open}
      >
        Get the adapter{advised && ` of ${advised.name}`}
      </Action>
      <Action icon={<IconCode size={15} />} why={study === undefined ? SHARED : early} act={copy.open}>
        Copy as PEFT code
      </Action>
      <Action
        icon={<IconPlayerStop size={15} />}
        why={
          change ??
          early ??
          (verdict.clock === "last" && verdict.state !== "plain"
            ? "Stopping earlier is not shown to help here."
            : undefined)
        }
        told="The same study with these arms only: each run ends after one evaluation without improvement, and keeps its best."
        act={stop}
      >
        Repeat stopped there
      </Action>
      <Action
        icon={<IconPlus size={15} />}
        why={
          change ??
          (further
            ? further.seeds
              ? undefined
              : `${further.sentence} A study has at most 64.`
            : "Three finished seeds are needed to know the spread.")
        }
        told={further?.sentence}
        act={plan}
      >
        Plan a larger study{further?.seeds ? `: ${further.seeds} seeds` : ""}
      </Action>
      {study && comparison.plan && <NextLook study={study} plan={comparison.plan} />}
      {study && verdict.take && (
        <GetAdapter take={verdict.take} name={advised?.name ?? ""} opened={taking} onClose={take.close} />
      )}
      {study && advised && <Code comparison={comparison} study={study} opened={copying} onClose={copy.close} />}
    </Group>
  );
}

interface ActionProps {
  icon: ReactNode;
  children: ReactNode;
  act: () => void;
  /** Why it cannot be done. */
  why: string | undefined;
  /** What it does. */
  told?: string | undefined;
  main?: boolean;
}

/** A button that stays in reach of keyboard and pointer where it is off, so that it can say why. */
function Action({ icon, children, act, why, told, main = false }: ActionProps) {
  const words = why ?? told;
  const button = (
    <Button
      size="sm"
      variant={main ? "filled" : "default"}
      leftSection={icon}
      data-disabled={why ? true : undefined}
      aria-disabled={why ? true : undefined}
      onClick={why ? undefined : act}
    >
      {children}
    </Button>
  );
  return words ? (
    <Tooltip label={words} multiline maw={340} events={{ hover: true, focus: true, touch: true }}>
      {button}
    </Tooltip>
  ) : (
    button
  );
}

interface CodeProps {
  comparison: Comparison;
  study: StudyDetail;
  opened: boolean;
  onClose: () => void;
}

function Code({ comparison, study, opened, onClose }: CodeProps) {
  const known = useQuery({ ...models, enabled: opened });
  const { verdict } = comparison;
  const arm = study.arms.find(({ id }) => id === verdict.arm_id);
  if (!arm) return null;
  const base = known.data?.items.find(({ id }) => id === study.model)?.hub_id ?? study.model;
  const steps = comparison.arms.find(({ id }) => id === arm.id)?.final_step ?? null;
  const code = peftCode(study, arm, base, { stopped: verdict.clock === "stopped" || verdict.state === "plain", steps });
  return (
    <Modal opened={opened} onClose={onClose} title={`${arm.label} as PEFT code`} size="xl" centered>
      <Text size="sm" my="sm">
        The same adapter, dropout and schedule around rows of your own
        {verdict.clock === "stopped" && ", stopped at the best evaluation"}. Scores depend on your rows and your
        classes.
      </Text>
      <CopyText text={code} label="PEFT code" height={460} />
    </Modal>
  );
}
