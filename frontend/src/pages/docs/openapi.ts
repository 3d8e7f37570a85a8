/** The parts of an OpenAPI document that the page shows, and how its schemas are read. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  description?: string;
  default?: unknown;
  format?: string;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface Content {
  content?: Record<string, { schema?: Schema }>;
}

export interface Operation {
  operationId: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: Content;
  responses: Record<string, Content & { description: string }>;
  security?: unknown[];
}

export interface Document {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

export interface Entry {
  method: string;
  path: string;
  operation: Operation;
}

/** Operations by their first tag, in the order of the document. */
export function byTag(document: Document): [string, Entry[]][] {
  const found = new Map<string, Entry[]>();
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "server";
      found.set(tag, [...(found.get(tag) ?? []), { method: method.toUpperCase(), path, operation }]);
    }
  return [...found].sort(([a], [b]) => a.localeCompare(b));
}

/** The schema of a JSON body or answer, or of whatever else it is. */
export function schemaOf(content: Content | undefined): { type: string; schema: Schema } | undefined {
  const [type, found] = Object.entries(content?.content ?? {})[0] ?? [];
  return type && found?.schema ? { type, schema: found.schema } : undefined;
}

/** A schema with its reference followed. */
export function followed(schema: Schema, document: Document): Schema {
  const name = schema.$ref?.split("/").pop();
  return (name && document.components.schemas[name]) || schema;
}

/** "list of StudySummary", "text or null", "queued | running". */
export function typeName(schema: Schema): string {
  if (schema.$ref) return schema.$ref.split("/").pop() ?? "";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return several.map(typeName).join(" or ");
  if (schema.allOf?.length === 1 && schema.allOf[0]) return typeName(schema.allOf[0]);
  if (schema.type === "array") return `list of ${schema.items ? typeName(schema.items) : "anything"}`;
  if (schema.type === "object" && typeof schema.additionalProperties === "object")
    return `object of ${typeName(schema.additionalProperties)}`;
  return [schema.type ?? "anything"].flat().join(" or ") + (schema.format ? ` (${schema.format})` : "");
}

/** The object schemas that can be opened below a schema: itself, its items, its alternatives. */
export function inside(schema: Schema, document: Document): Schema | undefined {
  for (const one of [schema, schema.items, ...(schema.anyOf ?? []), ...(schema.allOf ?? []), ...(schema.oneOf ?? [])]) {
    if (!one) continue;
    const found = followed(one, document);
    if (found.properties) return found;
    if (one !== schema) {
      const deeper = inside(found, document);
      if (deeper) return deeper;
    }
  }
  return undefined;
}

/** How it is called from a shell. */
export function curl({ method, path, operation }: Entry, origin: string): string {
  const lines = [`curl -s${method === "GET" ? "" : ` -X ${method}`} '${origin}${path}'`];
  if (operation.security?.length !== 0) lines.push(`  -H "Authorization: Bearer $DROPSCOPE_TOKEN"`);
  const body = schemaOf(operation.requestBody);
  if (body?.type === "application/json") lines.push("  -H 'Content-Type: application/json' -d '{…}'");
  else if (body) lines.push("  --data-binary @FILE");
  return lines.join(" \\\n");
}
