/** One operation in full: parameters, body, answers, and how to call it. */
import { Stack, Text } from "@mantine/core";
import { CopyText } from "../../components/CopyText";
import classes from "./ApiPage.module.css";
import { curl, inside, schemaOf, typeName, type Document, type Entry, type Schema } from "./openapi";
import { whole } from "../../api/root";

const DEEPEST = 6;

export function OperationBody({ entry, document }: { entry: Entry; document: Document }) {
  const { operation } = entry;
  const body = schemaOf(operation.requestBody);
  const answers = Object.entries(operation.responses).filter(([status]) => Number(status) < 400);
  const refusals = Object.keys(operation.responses).filter((status) => Number(status) >= 400);
  return (
    <Stack gap="sm" className={classes.body}>
      <Text size="sm">{operation.description}</Text>
      {operation.parameters && operation.parameters.length > 0 && (
        <Part title="Parameters">
          {operation.parameters.map(({ name, in: place, required, description, schema }) => (
            <Key key={place + name} name={name} required={required} type={`${place}, ${typeName(schema ?? {})}`}>
              {description}
            </Key>
          ))}
        </Part>
      )}
      {body && (
        <Part title={`Body: ${body.type}, ${typeName(body.schema)}`}>
          <Keys schema={body.schema} document={document} depth={0} />
        </Part>
      )}
      {answers.map(([status, answer]) => {
        const found = schemaOf(answer);
        return (
          <Part key={status} title={`${status}: ${found ? `${found.type}, ${typeName(found.schema)}` : "no body"}`}>
            {found && <Keys schema={found.schema} document={document} depth={0} />}
          </Part>
        );
      })}
      <Text size="sm" c="dimmed">
        Refusals ({refusals.join(", ")}) are application/problem+json (RFC 9457).
      </Text>
      <CopyText text={curl(entry, whole(""))} label={`curl for ${entry.method} ${entry.path}`} />
    </Stack>
  );
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      {children}
    </div>
  );
}

/** The keys of an object; those that are objects themselves can be opened. */
function Keys({ schema, document, depth }: { schema: Schema; document: Document; depth: number }) {
  const found = inside(schema, document);
  if (!found?.properties || depth > DEEPEST) return null;
  return (
    <div className={classes.keys}>
      {Object.entries(found.properties).map(([name, value]) => {
        const line = (
          <Key name={name} required={found.required?.includes(name)} type={typeName(value)} preset={value.default}>
            {value.description}
          </Key>
        );
        if (!inside(value, document) || depth === DEEPEST) return <div key={name}>{line}</div>;
        return (
          <details key={name}>
            <summary className={classes.opener}>{line}</summary>
            <Keys schema={value} document={document} depth={depth + 1} />
          </details>
        );
      })}
    </div>
  );
}

interface KeyProps {
  name: string;
  type: string;
  required?: boolean | undefined;
  preset?: unknown;
  children?: React.ReactNode;
}

function Key({ name, type, required, preset, children }: KeyProps) {
  return (
    <Text size="sm" component="div" className={classes.key} display="inline-block" w="calc(100% - 20px)">
      <code>{name}</code>{" "}
      <Text span size="xs" c="dimmed">
        {type}
        {required ? ", required" : ""}
        {preset !== undefined && preset !== null ? `, ${JSON.stringify(preset)} unless given` : ""}
      </Text>
      {children && <div>{children}</div>}
    </Text>
  );
}
