/** What a model reads of the rows: marks as chips, learned tokens coloured, what is cut struck out. */
import { Alert, Badge, Button, Group, NativeSelect, NumberInput, Paper, Stack, Text, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { models } from "../../api/catalogue";
import { renderedRows } from "../../api/datasets";
import { sentence } from "../../api/problem";
import type { DatasetFacts, Rendered } from "../../api/types";
import { Warnings } from "../../components/Warnings";
import { count } from "../../format/numbers";
import classes from "./WhatIsRead.module.css";
import {
  LOSSES,
  pieceKind,
  startModel,
  TEMPLATES,
  TRUNCATIONS,
  type Loss,
  type TemplateName,
  type Truncation,
} from "./read";

const AT_ONCE = 5;

export function WhatIsRead({ data }: { data: DatasetFacts }) {
  const { data: known } = useQuery(models);
  const able = known?.items.filter(({ tasks }) => tasks.includes("causal_lm")) ?? [];
  const [model, setModel] = useState<string>();
  const [template, setTemplate] = useState<TemplateName>("");
  const [loss, setLoss] = useState<Loss>("");
  const [truncate, setTruncate] = useState<Truncation>("end");
  const [length, setLength] = useState(256);
  const [skip, setSkip] = useState(0);
  const [wanted] = useDebouncedValue(length, 400);
  const reads = model ?? startModel(able);
  const found = useQuery({
    ...renderedRows(data.id, {
      model: reads ?? "",
      limit: AT_ONCE,
      skip,
      max_length: wanted,
      truncate,
      template: template || undefined,
      loss_on: loss || undefined,
    }),
    enabled: reads !== undefined,
    placeholderData: keepPreviousData,
  });
  return (
    <Paper p="md" component="section" aria-label="What the model reads" aria-busy={found.isFetching}>
      <Title order={2} mb={4}>
        What the model reads
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        Each row as it is trained on: with the marks of the model's chat template, and with the tokens coloured that are
        learned. The loss counts nothing else.
      </Text>
      <Group gap="sm" mb="sm" align="end">
        <NativeSelect
          size="xs"
          label="Model"
          value={reads ?? ""}
          onChange={({ currentTarget }) => setModel(currentTarget.value)}
          data={able.map(({ id }) => id)}
        />
        <NativeSelect
          size="xs"
          label="Written as"
          value={template}
          onChange={({ currentTarget }) => setTemplate(currentTarget.value as TemplateName)}
          data={TEMPLATES}
        />
        <NativeSelect
          size="xs"
          label="Learned of a row"
          value={loss}
          onChange={({ currentTarget }) => setLoss(currentTarget.value as Loss)}
          data={LOSSES}
        />
        <NumberInput
          size="xs"
          label="Longest row, tokens"
          w={130}
          min={4}
          max={8192}
          step={64}
          clampBehavior="strict"
          value={length}
          onChange={(value) => typeof value === "number" && value >= 4 && setLength(value)}
        />
        <NativeSelect
          size="xs"
          label="Rows that are too long"
          value={truncate}
          onChange={({ currentTarget }) => setTruncate(currentTarget.value as Truncation)}
          data={TRUNCATIONS}
        />
      </Group>
      {able.length === 0 && known && <Text size="sm">No model here can be trained to generate text.</Text>}
      {found.isError && (
        <Alert color="red" role="alert">
          {sentence(found.error)}
        </Alert>
      )}
      {found.isLoading && reads !== undefined && (
        <Text size="sm" c="dimmed">
          Reading the first rows; the first time a tokenizer is unpacked, which takes some seconds …
        </Text>
      )}
      {found.data && !found.isError && (
        <Found found={found.data} skip={skip} onSkip={setSkip} rows={data.rows.train ?? 0} />
      )}
    </Paper>
  );
}

interface FoundProps {
  found: Rendered;
  rows: number;
  skip: number;
  onSkip: (skip: number) => void;
}

function Found({ found, rows, skip, onSkip }: FoundProps) {
  return (
    <Stack gap="sm">
      <Warnings
        label="What to know of these rows"
        size="sm"
        sentences={found.warnings}
        grave={(one) => one.includes("nothing is learned")}
      />
      <Lengths found={found} />
      <Group gap="md" aria-label="Legend">
        <Text size="xs">
          <span className={classes.special}>mark</span> of the model, one token
        </Text>
        <Text size="xs">
          <span className={classes.trained}>learned</span>
        </Text>
        <Text size="xs">
          <span className={classes.cut}>cut</span>: not read
        </Text>
      </Group>
      <ol className={classes.rows} start={skip + 1}>
        {found.rows.map((row) => (
          <li key={row.number} className={classes.row}>
            <Group gap="xs" mb={4}>
              <Text size="xs" c="dimmed">
                Row {row.number}: {count(row.tokens, "token")}, {row.trained.toLocaleString("en")} learned
              </Text>
              {row.kept < row.tokens && (
                <Badge size="xs" variant="light" color="red">
                  {(row.tokens - row.kept).toLocaleString("en")} cut
                </Badge>
              )}
            </Group>
            {row.pieces.length > 0 && (
              <div className={classes.text} tabIndex={0} role="group" aria-label={`Text of row ${row.number}`}>
                {row.pieces.map((piece, at) => {
                  const Tag = piece.cut ? "s" : piece.trained ? "mark" : "span";
                  return (
                    <Tag key={at} className={pieceKind(piece, classes)} title={count(piece.tokens, "token")}>
                      {piece.text}
                    </Tag>
                  );
                })}
              </div>
            )}
            {row.notes.map((note) => (
              <Text key={note} size="xs" mt={4}>
                {note}
              </Text>
            ))}
          </li>
        ))}
      </ol>
      <Group gap="xs">
        <Button size="xs" variant="default" disabled={skip === 0} onClick={() => onSkip(Math.max(0, skip - AT_ONCE))}>
          Earlier rows
        </Button>
        <Button size="xs" variant="default" disabled={skip + AT_ONCE >= rows} onClick={() => onSkip(skip + AT_ONCE)}>
          Later rows
        </Button>
      </Group>
    </Stack>
  );
}

function Lengths({ found }: { found: Rendered }) {
  const { measured, max_length } = found;
  const most = Math.max(1, ...measured.counts);
  const shown = (n: number) => Math.round(n).toLocaleString("en");
  const said = `median ${shown(measured.median)} tokens a row, ${shown(measured.median_trained)} of them learned; the longest ${shown(measured.longest)}, ${shown(max_length)} are read`;
  return (
    <div>
      <div className={classes.bars} role="img" aria-label={`Tokens a row: ${said}`}>
        {measured.counts.map((rows, at) => (
          <div
            key={at}
            className={classes.bar}
            data-cut={(measured.edges[at + 1] ?? 0) > max_length || undefined}
            style={{ height: `${(100 * rows) / most}%` }}
            title={`${shown(measured.edges[at] ?? 0)}–${shown(measured.edges[at + 1] ?? 0)} tokens: ${count(rows, "row")}`}
          />
        ))}
      </div>
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          {shown(measured.edges[0] ?? 0)}
        </Text>
        <Text size="xs" c="dimmed">
          {shown(measured.edges.at(-1) ?? 0)} tokens
        </Text>
      </Group>
      <Text size="sm">
        Of the first {count(measured.rows, "row")}: {said}.{" "}
        {measured.cut > 0 && `${count(measured.cut, "row")} lose some. `}
        {measured.unlearned > 0 && `${count(measured.unlearned, "row")} are left out.`}
      </Text>
    </div>
  );
}
