/** A place to drop a file on, or to choose one; shows how far it has come. */
import { Button, FileButton, Group, Paper, Progress, Stack, Text } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useEffect, useRef, useState, type DragEvent } from "react";
import type { UploadOut } from "../../api/types";
import { tellError } from "../../components/tell";
import { bytes, percent } from "../../format/numbers";
import classes from "./Data.module.css";
import { sendFile } from "./send";

const ENDINGS = ".csv,.tsv,.jsonl,.ndjson,.json,.parquet,.gz";

interface DropFileProps {
  label: string;
  hint: string;
  onSent: (upload: UploadOut) => void;
}

export function DropFile({ label, hint, onSent }: DropFileProps) {
  const [file, setFile] = useState<File>();
  const [sent, setSent] = useState(0);
  const [over, setOver] = useState(false);
  const giveUp = useRef<AbortController>(null);

  useEffect(() => () => giveUp.current?.abort(), []); // who leaves the page gives up

  const send = async (chosen: File | null | undefined) => {
    if (!chosen || file) return;
    const control = new AbortController();
    giveUp.current = control;
    setFile(chosen);
    setSent(0);
    try {
      onSent(await sendFile(chosen, { onProgress: setSent, signal: control.signal }));
    } catch (error) {
      if (!control.signal.aborted) tellError(error);
    } finally {
      setFile(undefined);
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void send(event.dataTransfer.files[0]);
  };
  return (
    <Paper
      p="lg"
      className={classes.drop}
      data-over={over || undefined}
      component="section"
      aria-label={label}
      onDragOver={(event: DragEvent) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {file ? (
        <Stack gap="xs">
          <Group justify="space-between" wrap="nowrap">
            <Text truncate>{file.name}</Text>
            <Button size="compact-sm" variant="default" onClick={() => giveUp.current?.abort()}>
              Give up
            </Button>
          </Group>
          <Progress value={(100 * sent) / file.size} aria-label={`Sending ${file.name}`} />
          <Text size="xs" c="dimmed">
            {bytes(Math.min(sent, file.size))} of {bytes(file.size)} · {percent(Math.min(sent / file.size, 1), 0)}
          </Text>
        </Stack>
      ) : (
        <Group justify="space-between" gap="sm">
          <div>
            <Text fw={550}>{label}</Text>
            <Text size="sm" c="dimmed">
              {hint}
            </Text>
          </div>
          <FileButton onChange={(chosen) => void send(chosen)} accept={ENDINGS}>
            {(props) => (
              <Button {...props} variant="default" leftSection={<IconUpload size={16} />}>
                Choose a file
              </Button>
            )}
          </FileButton>
        </Group>
      )}
    </Paper>
  );
}
