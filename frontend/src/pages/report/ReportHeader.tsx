/** Title, what it speaks of, whether it follows the study, and how to take it away. */
import { Badge, Box, Button, CopyButton, Group, Text, Title } from "@mantine/core";
import { IconArrowLeft, IconCheck, IconDownload, IconLink, IconPrinter, IconSnowflake } from "@tabler/icons-react";
import { reportFile, type Report } from "../../api/reports";
import { AnchorLink } from "../../components/links";
import { count } from "../../format/numbers";
import { moment } from "../../format/times";
import classes from "./ReportPage.module.css";
import { useSaveReport } from "./useSaveReport";

export function ReportHeader({ report }: { report: Report }) {
  const save = useSaveReport(report.study_id);
  const { title, text, version, frozen } = report;
  return (
    <Box>
      <Group justify="space-between" className="no-print" mb="sm" gap="xs">
        <AnchorLink to="/studies/$studyId" params={{ studyId: report.study_id }} size="sm">
          <Group gap={4} component="span">
            <IconArrowLeft size={15} /> The study
          </Group>
        </AnchorLink>
        <Group gap={6}>
          <Button
            title={frozen ? "Show the study as it stands, always" : "Keep what is shown now, whatever comes"}
            size="xs"
            variant="default"
            leftSection={<IconSnowflake size={14} />}
            loading={save.isPending}
            onClick={() => save.mutate({ title, text, version, frozen: !frozen })}
          >
            {frozen ? "Make it live" : "Freeze"}
          </Button>
          <CopyButton value={location.href} timeout={1500}>
            {({ copied, copy }) => (
              <Button
                size="xs"
                variant="default"
                leftSection={copied ? <IconCheck size={14} /> : <IconLink size={14} />}
                onClick={copy}
              >
                {copied ? "Copied" : "Copy link"}
              </Button>
            )}
          </CopyButton>
          <Button size="xs" variant="default" leftSection={<IconPrinter size={14} />} onClick={() => window.print()}>
            Print
          </Button>
          <Button
            size="xs"
            component="a"
            href={reportFile(report.study_id)}
            download
            leftSection={<IconDownload size={14} />}
          >
            Download HTML
          </Button>
        </Group>
      </Group>
      <Title order={1} dir="auto" className={classes.title}>
        {title}
      </Title>
      <Group gap={8} mt={6}>
        <State report={report} />
        <Text size="sm" c="dimmed" dir="auto" className={classes.title}>
          {report.study_name} · {report.model} × {report.dataset}
        </Text>
      </Group>
      <Text size="xs" c="dimmed" mt={4}>
        {report.progress}
      </Text>
    </Box>
  );
}

function State({ report }: { report: Report }) {
  if (!report.frozen_at)
    return (
      <Badge variant="light" color="teal" tt="none">
        live: follows the study
      </Badge>
    );
  const since = report.latest_seq - report.event_seq;
  return (
    <Badge variant="light" color="ink" tt="none" className={classes.frozen}>
      frozen {moment(report.frozen_at)}
      {since > 0 && `, ${count(since, "event")} ago`}
    </Badge>
  );
}
