/** One of the server's figures, with its designed states while it loads, is empty or fails. */
import { Center, Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { sentence } from "../api/problem";
import type { FigureOf } from "../api/view";
import { FigureLater } from "./FigureLater";
import type { PlotlyPoint } from "./plotly";

interface NamedFigureProps {
  figureOf: FigureOf;
  name: string;
  title: string;
  reading?: string;
  height?: number;
  /** Pixels that are kept free until it is there. */
  place?: number;
  grows?: boolean;
  onPoint?: (point: PlotlyPoint) => void;
  hidden?: ReadonlySet<string>;
  hoverGroup?: string;
  legend?: boolean;
}

export function NamedFigure({
  figureOf,
  name,
  title,
  reading,
  height,
  place,
  grows,
  hidden,
  hoverGroup,
  legend,
  onPoint,
}: NamedFigureProps) {
  const room = (place ?? height ?? 400) + 30;
  const drawn = useQuery(figureOf(name));
  return (
    <section id={`figure-${name}`} aria-label={title} style={{ scrollMarginTop: 70 }}>
      {drawn.data ? (
        <FigureLater
          figure={drawn.data}
          title={title}
          {...(reading && { reading })}
          {...(height && { height })}
          {...(grows && { grows })}
          {...(onPoint && { onPoint })}
          {...(hidden && { hidden })}
          {...(hoverGroup && { hoverGroup })}
          {...(legend !== undefined && { legend })}
        />
      ) : drawn.isError ? (
        <Center h={room}>
          <Text c="dimmed" size="sm" role="alert" ta="center" maw={360}>
            {title} could not be drawn: {sentence(drawn.error)}
          </Text>
        </Center>
      ) : (
        <Skeleton height={room} />
      )}
    </section>
  );
}
