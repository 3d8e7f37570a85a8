/** Take a chart away: picture, vector, or the figure's own JSON (opens in a notebook with `plotly.io.from_json`). */
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import type { RefObject } from "react";
import { saveText } from "./save";
import type { PlotlyFigure } from "../api/figures";
import type { Plotly } from "./plotly";

interface ExportMenuProps {
  title: string;
  figure: PlotlyFigure;
  element: RefObject<HTMLDivElement | null>;
  plotly: Plotly | undefined;
}

export function ExportMenu({ title, figure, element, plotly }: ExportMenuProps) {
  const filename = title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const picture = (format: "png" | "svg") => {
    if (plotly && element.current) void plotly.downloadImage(element.current, { format, filename, scale: 2 });
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Save: ${title}`} className="no-print">
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => picture("png")}>PNG picture</Menu.Item>
        <Menu.Item onClick={() => picture("svg")}>SVG drawing</Menu.Item>
        <Menu.Item onClick={() => saveText(`${filename}.json`, JSON.stringify(figure), "application/json")}>
          Plotly JSON, for a notebook
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
