/** What was found in the file: warnings, labels, lengths, rows that cannot be used. */
import { Select, SimpleGrid, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { models } from "../../api/catalogue";
import type { DatasetPreview } from "../../api/types";
import { Warnings } from "../../components/Warnings";
import { count } from "../../format/numbers";
import { Section } from "../compose/Section";
import { Balance, LengthBars } from "./parts";
import type { Plan } from "./plan";

const SHOWN_LABELS = 12;
const SHOWN_REFUSALS = 10;

interface FoundProps {
  plan: Plan;
  found: DatasetPreview;
  pending: boolean;
  onChange: (plan: Plan) => void;
}

export function Found({ plan, found, pending, onChange }: FoundProps) {
  const { data: known } = useQuery(models);
  return (
    <Section
      title="Preview"
      hint={`${count(found.read, "row")} read${found.whole ? "" : " so far"}: ${found.kept.toLocaleString("en")} kept, ${found.refused.toLocaleString("en")} left out${pending ? " …" : ""}`}
    >
      <Stack gap="md">
        <Warnings
          label="Warnings"
          size="sm"
          sentences={found.warnings}
          grave={(warning) => warning.includes("learning by heart")}
        />
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          {found.labels.length > 0 && (
            <div>
              <Text size="sm" fw={550} mb={6}>
                Labels
              </Text>
              <Balance
                labels={found.labels.slice(0, SHOWN_LABELS)}
                more={Math.max(0, found.label_count - SHOWN_LABELS)}
              />
            </div>
          )}
          {found.label_range && (
            <Text size="sm">
              Labels from {found.label_range[0]} to {found.label_range[1]}.
            </Text>
          )}
          <div>
            <Select
              size="xs"
              label="Lengths in tokens of"
              placeholder="choose a model"
              data={known?.items.map(({ id, title }) => ({ value: id, label: title })) ?? []}
              value={plan.model ?? null}
              onChange={(model) => onChange({ ...plan, model })}
              mb="xs"
            />
            {found.lengths && <LengthBars lengths={found.lengths} />}
          </div>
        </SimpleGrid>
        {found.refusals.length > 0 && (
          <div>
            <Text size="sm" fw={550}>
              Rows left out
            </Text>
            <Table.ScrollContainer
              minWidth={360}
              type="native"
              tabIndex={0}
              aria-label="Rows left out, scrolls sideways"
            >
              <Table verticalSpacing={4}>
                <Table.Tbody>
                  {found.refusals.slice(0, SHOWN_REFUSALS).map(({ place, column, reason }) => (
                    <Table.Tr key={place}>
                      <Table.Td>{place}</Table.Td>
                      <Table.Td>
                        column “{column}” {reason}
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
            <Text size="xs" c="dimmed">
              The whole list can be downloaded when the data set is added.
            </Text>
          </div>
        )}
      </Stack>
    </Section>
  );
}
