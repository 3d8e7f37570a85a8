import { describe, expect, it } from "vitest";
import { byTag, curl, inside, typeName, type Document, type Operation } from "./openapi";

const operation = (tags: string[]): Operation => ({ operationId: "x", tags, responses: {} });
const DOCUMENT: Document = {
  info: { title: "", version: "" },
  paths: { "/b": { get: operation(["studies"]) }, "/a": { post: operation(["runs"]), get: operation(["studies"]) } },
  components: { schemas: { Run: { type: "object", properties: { id: { type: "string" } } } } },
};

describe("the API's description", () => {
  it("groups operations by tag", () => {
    const found = byTag(DOCUMENT).map(([tag, entries]) => [
      tag,
      entries.map(({ method, path }) => `${method} ${path}`),
    ]);
    expect(found).toEqual([
      ["runs", ["POST /a"]],
      ["studies", ["GET /b", "GET /a"]],
    ]);
  });

  it("names types in words", () => {
    expect(typeName({ type: "array", items: { $ref: "#/components/schemas/Run" } })).toBe("list of Run");
    expect(typeName({ anyOf: [{ type: "string" }, { type: "null" }] })).toBe("string or null");
    expect(typeName({ enum: ["a", "b"] })).toBe('"a" | "b"');
  });

  it("finds what can be opened, behind references and lists", () => {
    const run = { $ref: "#/components/schemas/Run" };
    expect(inside({ type: "array", items: run }, DOCUMENT)?.properties).toHaveProperty("id");
    expect(inside({ anyOf: [{ type: "null" }, run] }, DOCUMENT)?.properties).toHaveProperty("id");
    expect(inside({ type: "string" }, DOCUMENT)).toBeUndefined();
  });

  it("says how to call it", () => {
    const said = curl({ method: "POST", path: "/a", operation: { ...operation([]), security: [] } }, "http://here");
    expect(said).toBe("curl -s -X POST 'http://here/a'");
  });
});
