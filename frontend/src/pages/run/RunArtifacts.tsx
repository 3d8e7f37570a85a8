/** What the run left behind, to take away. */
import { Button, Code, Group, Paper, Skeleton, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMayChange } from "../../api/accounts";
import { runArtifacts } from "../../api/runs";
import type { ArtifactOut, RunDetail } from "../../api/types";
import { bytes } from "../../format/numbers";
import { moment } from "../../format/times";
import { GoOn } from "./GoOn";
import { at } from "../../api/root";

const USE = `from peft import PeftModel
model = PeftModel.from_pretrained(base_model, "adapter")`;

const CLOCKS = { last: "last step", stopped: "best evaluation" };

/** What an artifact is, and where in its run. */
function titleOf({ kind, clocks, step }: ArtifactOut) {
  if (kind === "ledger") return "Ledger: what the run says of every held-out row, at both clocks";
  if (clocks.length === 0) return kind;
  const place = clocks.map((clock) => CLOCKS[clock]).join(" and ");
  return `Adapter in PEFT's format, ${place}${step === null ? "" : ` (step ${step})`}`;
}

export function RunArtifacts({ run }: { run: RunDetail }) {
  const { data: artifacts } = useQuery(runArtifacts(run.id));
  const mayChange = useMayChange();
  if (!artifacts) return <Skeleton height={160} />;
  if (artifacts.length === 0)
    return (
      <Text c="dimmed" py="xl" ta="center">
        {run.status === "succeeded" ? "Nothing was left behind." : "The adapter is kept when the run has succeeded."}
      </Text>
    );
  return (
    <Stack>
      {artifacts.map((artifact) => (
        <Paper key={artifact.id} p="md" radius="md">
          <Group justify="space-between">
            <div>
              <Text fw={600}>{titleOf(artifact)}</Text>
              <Text size="xs" c="dimmed">
                {bytes(artifact.bytes)} · {moment(artifact.created_at)}
              </Text>
            </div>
            <Group gap={6}>
              {mayChange && artifact.clocks.length > 0 && <GoOn run={run} artifactId={artifact.id} />}
              <Button
                component="a"
                href={at(`/api/v1/artifacts/${artifact.id}/download`)}
                download
                leftSection={<IconDownload size={15} />}
              >
                Download
              </Button>
            </Group>
          </Group>
          <Text component="ul" size="xs" c="dimmed" mb={0} pl="md" style={{ overflowWrap: "anywhere" }}>
            {artifact.files.map((file) => (
              <li key={file.name}>
                {file.name} · SHA-256 {file.sha256}
              </li>
            ))}
          </Text>
        </Paper>
      ))}
      <Text size="sm">Unpacked into a folder named adapter, stock PEFT loads it:</Text>
      <Code block>{USE}</Code>
    </Stack>
  );
}
