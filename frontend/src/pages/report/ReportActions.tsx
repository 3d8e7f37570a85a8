/** Edit, freeze, print, take away. */
import { Button, Group, Menu } from "@mantine/core";
import { IconDownload, IconPencil, IconSnowflake, IconSnowflakeOff } from "@tabler/icons-react";
import type { ReportOut } from "../../api/types";
import { saveText } from "../../figure/save";
import { useSaveReport } from "./useSaveReport";

export function ReportActions({ report, onEdit }: { report: ReportOut; onEdit: () => void }) {
  const save = useSaveReport(report.study_id);
  const { title, text, version, frozen } = report;
  return (
    <Group gap={6} className="no-print" wrap="nowrap">
      <Button size="xs" variant="default" leftSection={<IconPencil size={14} />} onClick={onEdit}>
        Edit
      </Button>
      <Button
        size="xs"
        variant="default"
        visibleFrom="sm"
        leftSection={frozen ? <IconSnowflakeOff size={14} /> : <IconSnowflake size={14} />}
        loading={save.isPending}
        onClick={() => save.mutate({ title, text, version, frozen: !frozen })}
      >
        {frozen ? "Follow the study" : "Freeze"}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="xs" leftSection={<IconDownload size={14} />}>
            Take away
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component="a" href={`/api/v1/studies/${report.study_id}/report.html`} download>
            One HTML file, works offline
          </Menu.Item>
          <Menu.Item onClick={() => saveText("methods.md", report.methods_text, "text/markdown")}>
            Methods section as Markdown
          </Menu.Item>
          <Menu.Item onClick={() => window.print()}>Print, or save as PDF</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}
