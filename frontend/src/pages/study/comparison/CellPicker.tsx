/** A cell of the framework chosen without the mouse: the same as a click into the chart. */
import { Button, Group, NativeSelect } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { methods } from "../../../api/catalogue";
import type { FrameworkCell } from "./RunCellDialog";

export function CellPicker({ onPick }: { onPick: (cell: FrameworkCell) => void }) {
  const { data } = useQuery(methods);
  const [chosen, setChosen] = useState(0);
  const [consistency, setConsistency] = useState("none");
  if (!data) return null;
  const cells = data.cells.filter((cell) => cell.valid);
  const cell = cells[chosen] ?? cells[0];
  if (!cell) return null;
  return (
    <Group gap="xs" align="end" mb="sm" role="group" aria-label="Run another cell">
      <NativeSelect
        size="xs"
        label="Cell"
        value={chosen}
        onChange={({ currentTarget }) => setChosen(Number(currentTarget.value))}
        data={cells.map(({ position, structure }, at) => ({
          value: String(at),
          label: `${position.replaceAll("_", " ")} by ${structure}`,
        }))}
      />
      <NativeSelect
        size="xs"
        label="Consistency loss"
        value={consistency}
        onChange={({ currentTarget }) => setConsistency(currentTarget.value)}
        data={data.consistencies.map(({ name }) => name)}
      />
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlus size={14} />}
        onClick={() => onPick({ position: cell.position, structure: cell.structure, consistency })}
      >
        Run this cell
      </Button>
    </Group>
  );
}
