/** The contracts' schemas as fixtures, and documents that they allow. */

// Forms load it when they need it: here at once, so that no test ends before it came.
import "../src/elements/json-editor";
import type { Json, JsonObject } from "../src/path";
import type { Definitions, Field, Node, Schema } from "../src/schema";
import { follow, readFields, rowField } from "../src/schema";
import schemas from "./fixtures/schemas.json";

const ALL = schemas as unknown as Record<string, Schema>;

export function schemaOf(name: string): Schema {
  const schema = ALL[name];
  if (schema === undefined) throw new Error(name);
  return schema;
}

/** Every object schema of all contracts, by name. */
export function everyObject(): [string, Schema, Definitions][] {
  return Object.entries(ALL).flatMap(([name, schema]) => {
    const definitions = schema.$defs ?? {};
    const own: [string, Schema, Definitions][] = schema.properties ? [[name, schema, definitions]] : [];
    const inner = Object.entries(definitions).filter(([, definition]) => definition.properties);
    return [...own, ...inner.map(([key, definition]): [string, Schema, Definitions] => [`${name}/${key}`, definition, definitions])];
  });
}

/** A document in which every field differs from its default. */
export function filled(schema: Schema, definitions: Definitions, depth = 0): JsonObject {
  const fields = readFields(follow(schema, definitions), definitions);
  return Object.fromEntries(fields.map((field) => [field.name, other(field, definitions, depth)]));
}

function other(field: Field, definitions: Definitions, depth: number): Json {
  const { node } = field;
  if (node.kind === "object") return objectOf(node.fields, definitions, depth);
  if (node.kind === "rows") return [0, 1].map(() => other(rowField(field, node, 0), definitions, depth + 1));
  if (node.kind === "union") return depth > 2 ? null : variantOf(node, definitions, depth);
  return otherScalar(field);
}

function objectOf(fields: Field[], definitions: Definitions, depth: number): JsonObject {
  return Object.fromEntries(fields.map((inner) => [inner.name, other(inner, definitions, depth + 1)]));
}

function variantOf(node: Node & { kind: "union" }, definitions: Definitions, depth: number): Json {
  const [variant] = Object.values(node.variants);
  return variant === undefined ? null : filled(variant, definitions, depth + 1);
}

function otherScalar({ node, fallback }: Field): Json {
  switch (node.kind) {
    case "number": {
      const near = (node.bounds.minimum ?? node.bounds.exclusiveMinimum ?? 1) + (node.integer ? 1 : 0.25);
      return near === fallback ? near + (node.integer ? 1 : 0.25) : near;
    }
    case "choice":
      return node.options.find((option) => option !== fallback) ?? null;
    case "switch":
      return fallback !== true;
    case "list":
      return ["q_proj", "k_proj"];
    case "constant":
      return node.value;
    case "pair":
      return [0.25, 3];
    case "map":
      return { "X-One": "a, b", Two: "" };
    case "text":
      return "<b>some</b> text";
    default:
      return [1, { a: "b" }];
  }
}
