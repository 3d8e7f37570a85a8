/** One site of a composed method: three pickers and a rate; choices that do not exist say why. */
import { CloseButton, Group, NativeSelect, NumberInput, Paper, SegmentedControl, Text } from "@mantine/core";
import type { MethodCatalogue } from "../../api/types";
import { cellAt, cellsOf, movedTo, positions, RESCALE_TITLES, words, type SiteDraft } from "./composer";
import { MaskPicture } from "./MaskPicture";

interface SiteEditorProps {
  catalogue: MethodCatalogue;
  site: SiteDraft;
  taken: string[];
  onChange: (site: SiteDraft) => void;
  onRemove: () => void;
}

export function SiteEditor({ catalogue, site, taken, onChange, onRemove }: SiteEditorProps) {
  const cells = cellsOf(catalogue, site.position);
  const chosen = cellAt(catalogue, site);
  const missing = cells.find((cell) => !cell.valid);
  const name = `${words(site.position)} by ${site.structure}`;
  return (
    <Paper p="sm" radius="md" role="group" aria-label={name}>
      <Group align="start" wrap="nowrap" gap="md">
        <MaskPicture position={site.position} structure={site.structure} />
        <Group gap="sm" align="end" flex={1}>
          <NativeSelect
            size="xs"
            label="Position"
            w={150}
            value={site.position}
            onChange={({ currentTarget }) => onChange(movedTo(catalogue, site, currentTarget.value, site.structure))}
            data={positions(catalogue).map((position) => ({
              value: position,
              label: words(position),
              disabled: taken.includes(position),
            }))}
          />
          <div>
            <Text size="xs" fw={600} mb={2}>
              Structure
            </Text>
            <SegmentedControl
              size="xs"
              aria-label="Structure"
              value={site.structure}
              onChange={(structure) => onChange(movedTo(catalogue, site, site.position, structure))}
              data={cells.map((cell) => ({ value: cell.structure, label: cell.structure, disabled: !cell.valid }))}
            />
          </div>
          <NativeSelect
            size="xs"
            label="Rescale"
            w={190}
            disabled={(chosen?.rescales.length ?? 0) < 2}
            value={site.rescale}
            onChange={({ currentTarget }) => onChange({ ...site, rescale: currentTarget.value })}
            data={(chosen?.rescales ?? []).map((value) => ({ value, label: RESCALE_TITLES[value] ?? value }))}
          />
          <NumberInput
            size="xs"
            label="Rate"
            w={80}
            min={0}
            max={0.99}
            step={0.05}
            value={site.rate}
            onChange={(rate) => onChange({ ...site, rate: Number(rate) })}
          />
        </Group>
        <CloseButton aria-label={`Remove ${name}`} onClick={onRemove} />
      </Group>
      <Text size="xs" c="dimmed" mt={8}>
        {chosen?.source}
        {chosen?.cost && ` · ${chosen.cost}`}
        {missing &&
          ` · No ${cells
            .filter((cell) => !cell.valid)
            .map((cell) => cell.structure)
            .join(" or ")}: ${missing.reason}.`}
      </Text>
    </Paper>
  );
}
