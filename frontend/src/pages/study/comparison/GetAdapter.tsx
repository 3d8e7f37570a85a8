/** The adapter that the verdict advises: which run's, by which rule, and how to take it. */
import { Button, Group, Modal, Skeleton, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { runArtifacts } from "../../../api/runs";
import type { ArtifactOut, Comparison } from "../../../api/types";
import { CopyText } from "../../../components/CopyText";
import { AnchorLink } from "../../../components/links";
import { bytes } from "../../../format/numbers";
import { at } from "../../../api/root";

type Take = NonNullable<Comparison["verdict"]["take"]>;

interface GetAdapterProps {
  take: Take;
  /** The arm's. */
  name: string;
  opened: boolean;
  onClose: () => void;
}

export function GetAdapter({ take, name, opened, onClose }: GetAdapterProps) {
  const { data: artifacts, isError } = useQuery({ ...runArtifacts(take.run_id), enabled: opened });
  const found = artifacts && adapterOf(artifacts, take);
  return (
    <Modal opened={opened} onClose={onClose} title={`The adapter of ${name}`} size="lg" centered>
      <Stack gap="sm" pt="sm">
        <Text size="sm">{take.rule}</Text>
        {isError && <Text size="sm">What this run kept cannot be read now; its page says more.</Text>}
        {!artifacts && !isError && <Skeleton height={120} />}
        {artifacts && !found && (
          <Text size="sm" role="status">
            Its files are not on this server any more, or it kept none; train the arm again to have one.
          </Text>
        )}
        {found && <Ways artifact={found} take={take} />}
        <AnchorLink size="sm" to="/runs/$runId" params={{ runId: take.run_id }} search={{}}>
          The run of seed {take.seed}
        </AnchorLink>
      </Stack>
    </Modal>
  );
}

/** The adapter of the clock that is advised, else the one that the run has. */
export function adapterOf(artifacts: ArtifactOut[], { clock }: Pick<Take, "clock">): ArtifactOut | undefined {
  const adapters = artifacts.filter(({ clocks }) => clocks.length > 0);
  return adapters.find(({ clocks }) => clocks.includes(clock)) ?? adapters[0];
}

function Ways({ artifact, take }: { artifact: ArtifactOut; take: Take }) {
  const other = !artifact.clocks.includes(take.clock);
  const which = artifact.clocks.includes("last") ? "last" : "stopped";
  const command = `dropscope adapter ${take.run_id} adapter --clock ${which}`;
  return (
    <>
      {other && (
        <Text size="sm" role="status">
          The study kept the adapter of the {which === "last" ? "last step" : "best evaluation"} only
          {artifact.step === null ? "" : ` (step ${artifact.step})`}: this is that one.
        </Text>
      )}
      <Group>
        <Button
          component="a"
          href={at(`/api/v1/artifacts/${artifact.id}/download`)}
          download
          leftSection={<IconDownload size={15} />}
        >
          Download, {bytes(artifact.bytes)}
        </Button>
        <Text size="xs" c="dimmed">
          A zip in PEFT's format: safetensors, config, a model card that says how to load it.
        </Text>
      </Group>
      <Text size="sm">
        Or on the command line; with <code>--merged</code> a whole model that stock transformers loads:
      </Text>
      <CopyText text={`${command}\n${command.replace(" adapter --", " model --")} --merged`} label="Commands" />
      <Text size="xs" c="dimmed">
        An adapter holds no dropout: it belongs to training.
      </Text>
    </>
  );
}
