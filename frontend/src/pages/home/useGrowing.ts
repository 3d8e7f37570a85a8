/** How many rows of a long list are drawn: a screenful at once, the rest piece by piece while nobody waits. */
import { startTransition, useEffect, useState } from "react";

const FIRST = 50;
const PIECE = 100;

export function useGrowing(total: number, restart: unknown): number {
  const [grown, setGrown] = useState({ rows: FIRST, of: restart });
  const rows = Object.is(grown.of, restart) ? grown.rows : FIRST;
  useEffect(() => {
    if (rows >= total) return;
    const timer = setTimeout(() => startTransition(() => setGrown({ rows: rows + PIECE, of: restart })), 30);
    return () => clearTimeout(timer);
  }, [rows, total, restart]);
  return rows;
}
