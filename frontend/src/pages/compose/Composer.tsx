/** A method from the cells of the framework: where, in which pattern, rescaled how, and tied by which consistency loss. */
import { Button, Group, NativeSelect, NumberInput, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { methods } from "../../api/catalogue";
import { asArm, EMPTY, freshSite, whyNot, type SiteDraft } from "./composer";
import type { PartProps } from "./part";
import { SiteEditor } from "./SiteEditor";
import { WhereIsWhat } from "./WhereIsWhat";

export function Composer({
  draft,
  onChange,
  onClose,
}: Pick<PartProps, "draft" | "onChange"> & { onClose: () => void }) {
  const { data: catalogue } = useSuspenseQuery(methods);
  const [made, setMade] = useState(() => ({ ...EMPTY, sites: [freshSite(catalogue, [])].filter((site) => !!site) }));
  const set = (part: Partial<typeof made>) => setMade({ ...made, ...part });
  const next = freshSite(catalogue, made.sites);
  const wrong = whyNot(made);
  const tie = catalogue.consistencies.find((kind) => kind.name === made.consistency);
  const change = (at: number, site: SiteDraft) => set({ sites: made.sites.map((old, i) => (i === at ? site : old)) });
  return (
    <Paper p="md" mt="sm" radius="md" bg="var(--surface-sunken)" component="section" aria-label="Compose a method">
      <Group justify="space-between" mb={6}>
        <Title order={3}>Compose a method</Title>
        <WhereIsWhat />
      </Group>
      <Stack gap="sm">
        {made.sites.map((site, at) => (
          <SiteEditor
            key={site.position}
            catalogue={catalogue}
            site={site}
            taken={made.sites.filter((other) => other !== site).map((other) => other.position)}
            onChange={(changed) => change(at, changed)}
            onRemove={() => set({ sites: made.sites.filter((_, i) => i !== at) })}
          />
        ))}
        {next && (
          <Button
            size="xs"
            variant="default"
            w="max-content"
            leftSection={<IconPlus size={14} />}
            onClick={() => set({ sites: [...made.sites, next] })}
          >
            Drop in another place as well
          </Button>
        )}
        <Group align="end" gap="sm">
          <NativeSelect
            size="xs"
            label="Consistency loss"
            w={220}
            value={made.consistency}
            onChange={({ currentTarget }) => set({ consistency: currentTarget.value })}
            data={catalogue.consistencies.map((kind) => ({ value: kind.name, label: kind.title }))}
          />
          {made.consistency !== "none" && (
            <NumberInput
              size="xs"
              label="Weight"
              w={90}
              min={0}
              step={0.1}
              value={made.weight}
              onChange={(weight) => set({ weight: Number(weight) })}
            />
          )}
          <TextInput
            size="xs"
            label="Label"
            placeholder="made from its cells"
            w={200}
            maxLength={200}
            value={made.label}
            onChange={(event) => set({ label: event.currentTarget.value })}
          />
        </Group>
        {tie && tie.name !== "none" && (
          <Text size="xs" c="dimmed">
            {tie.sentence}: {tie.formula}. A step costs {tie.cost_factor} × plain LoRA.
          </Text>
        )}
        <Group>
          <Button
            size="xs"
            disabled={wrong !== undefined}
            onClick={() => {
              onChange({ ...draft, arms: [...draft.arms, asArm(made)] });
              onClose();
            }}
          >
            Add this method
          </Button>
          <Button size="xs" variant="subtle" color="gray" onClick={onClose}>
            Close
          </Button>
          {wrong && (
            <Text size="xs" c="dimmed">
              {wrong}
            </Text>
          )}
        </Group>
      </Stack>
    </Paper>
  );
}
