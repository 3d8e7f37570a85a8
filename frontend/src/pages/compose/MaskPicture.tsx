/** What a structure drops, as a small grid: rows are queries or tokens, columns are keys or features. */
const SIZE = 7;
const ELEMENTS = new Set([3, 8, 12, 20, 25, 29, 38, 41, 46]);
const COLUMNS = new Set([2, 5]);
const SPAN = new Set([2, 3]);

interface MaskPictureProps {
  position: string;
  structure: string;
  size?: number;
}

/** A column is a key for attention and a token (one row of the grid) elsewhere. */
function dropped(position: string, structure: string, row: number, column: number): boolean {
  const along = position.startsWith("attention") ? column : row;
  if (structure === "element") return ELEMENTS.has(row * SIZE + column);
  return (structure === "column" ? COLUMNS : SPAN).has(along);
}

export function MaskPicture({ position, structure, size = 58 }: MaskPictureProps) {
  const cells = Array.from({ length: SIZE * SIZE }, (_, at) => [Math.floor(at / SIZE), at % SIZE] as const);
  return (
    <svg width={size} height={size} viewBox={`0 0 ${SIZE} ${SIZE}`} aria-hidden="true" style={{ flex: "none" }}>
      {cells.map(([row, column]) => (
        <rect
          key={`${row} ${column}`}
          x={column + 0.06}
          y={row + 0.06}
          width={0.88}
          height={0.88}
          rx={0.16}
          fill={
            dropped(position, structure, row, column) ? "var(--surface-sunken)" : "var(--mantine-primary-color-filled)"
          }
          opacity={dropped(position, structure, row, column) ? 1 : 0.75}
          stroke={dropped(position, structure, row, column) ? "var(--line-strong)" : "none"}
          strokeWidth={0.08}
        />
      ))}
    </svg>
  );
}
