/** The part on further data sets, whose code comes only with a study that has some. */
import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { Comparison } from "../../../../api/types";
import type { FigureOf } from "../../../../api/view";

const Elsewhere = lazy(() => import("./Elsewhere").then((module) => ({ default: module.Elsewhere })));

interface LaterProps {
  comparison: Comparison | undefined;
  figureOf: FigureOf;
  hidden: ReadonlySet<string>;
}

export function ElsewhereLater({ comparison, ...props }: LaterProps) {
  if (!comparison?.elsewhere) return null;
  return (
    <Suspense fallback={<Skeleton height={560} radius="lg" />}>
      <Elsewhere comparison={comparison} {...props} />
    </Suspense>
  );
}
