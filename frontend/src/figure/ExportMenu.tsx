/** Take a chart away: picture, vector, or the figure's own JSON (opens in a notebook with `plotly.io.from_json`). */
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import type { PlotlyFigure } from "../api/figures";
import { nameOf, pictureOf } from "./picture";
import type { Plotly } from "./plotly";
import { saveText } from "./save";

interface ExportMenuProps {
  title: string;
  /** As it is on the page, hidden arms left out. */
  figure: PlotlyFigure;
  /** As the server sent it. */
  whole: PlotlyFigure;
  plotly: Plotly | undefined;
}

export function ExportMenu({ title, figure, whole, plotly }: ExportMenuProps) {
  const filename = nameOf(title, whole);
  const picture = (format: "png" | "svg") => {
    const drawn = pictureOf(figure);
    const { width, height } = drawn.layout;
    if (plotly) void plotly.downloadImage(drawn, { format, filename, scale: 2, width, height });
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          aria-label={`Save: ${title}`}
          className="no-print"
          style={{ scrollMarginTop: 80 }}
        >
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => picture("png")}>PNG picture</Menu.Item>
        <Menu.Item onClick={() => picture("svg")}>SVG drawing</Menu.Item>
        <Menu.Item onClick={() => saveText(`${filename}.json`, JSON.stringify(whole), "application/json")}>
          Plotly JSON, for a notebook
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
