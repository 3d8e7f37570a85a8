/** The first visit: nothing is there yet, and two ways to begin. */
import { Button, Group } from "@mantine/core";
import { IconFlask, IconPlus } from "@tabler/icons-react";
import { ButtonLink } from "../../components/links";
import { useMayChange } from "../../api/accounts";
import { Logo } from "../../components/Logo";
import { Notice } from "../../components/Notice";
import { tellError } from "../../components/tell";
import { useQueueStudy } from "../../components/useQueueStudy";
import { template } from "../compose/templates";

export function EmptyHome() {
  const queue = useQueueStudy();
  const mayChange = useMayChange();
  return (
    <Notice
      title="No study yet"
      icon={<Logo size={44} />}
      actions={
        mayChange && (
          <Group mt="sm" justify="center">
            <Button
              variant="default"
              leftSection={<IconFlask size={16} />}
              loading={queue.isPending}
              onClick={() => void template("demo").then((demo) => demo && queue.mutate(demo), tellError)}
            >
              Load demo study
            </Button>
            <ButtonLink to="/new" leftSection={<IconPlus size={16} />}>
              New study
            </ButtonLink>
          </Group>
        )
      }
    >
      A study trains several dropout methods with the same seeds on one model and shows which of them overfits least.
      The demo trains 40 short runs on film reviews; the first complete comparison is there after about two minutes.
    </Notice>
  );
}
