/** What the run was asked to do, and what its worker recorded about how it did it. */
import { SimpleGrid, Stack, Table, Title } from "@mantine/core";
import type { RunDetail } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { compact } from "../../format/numbers";

export function RunConfig({ run }: { run: RunDetail }) {
  const { arm } = run.spec;
  const facts: [string, string][] = [
    ["Model", `${arm.model.id} (${arm.model.revision.slice(0, 12)})`],
    ["Data", `${arm.dataset.id} (${arm.dataset.content_hash.slice(0, 12)})`],
    ["Rows", `${arm.train_rows} training, ${arm.validation_rows} validation, ${arm.probe_rows} probe`],
    ["Adapter", `rank ${arm.rank}, alpha ${arm.alpha}, on ${arm.target_modules.join(", ")}`],
    ["Trainable parameters", compact(run.trainable_parameters)],
    ...Object.entries(arm.training).map(([key, value]): [string, string] => [key.replaceAll("_", " "), String(value)]),
    ...Object.entries(run.final ?? {}).map(([key, value]): [string, string] => [key, String(value)]),
  ];
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
      <Table>
        <Table.Tbody>
          {facts.map(([key, value]) => (
            <Table.Tr key={key}>
              <Table.Th scope="row" style={{ whiteSpace: "normal" }}>
                {key}
              </Table.Th>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Stack gap="xs">
        <Title order={2} size="h3">
          Method
        </Title>
        <CopyText text={JSON.stringify(arm.method, null, 2)} label="Method as JSON" />
        {run.record && (
          <>
            <Title order={2} size="h3" mt="sm">
              Recorded by the worker
            </Title>
            <CopyText text={JSON.stringify(run.record, null, 2)} label="Record as JSON" />
          </>
        )}
      </Stack>
    </SimpleGrid>
  );
}
