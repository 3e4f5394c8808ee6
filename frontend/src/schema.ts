/** JSON Schema, as pydantic writes it, read into what a form needs to know. */

import type { Json, JsonObject } from "./path";

/** Settings that go by a name. */
export interface Preset {
  title: string;
  description: string;
  sets: JsonObject;
}

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string;
  title?: string;
  description?: string;
  default?: Json;
  /** What the field begins with on a page. */
  examples?: Json[];
  const?: Json;
  enum?: Json[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  discriminator?: { propertyName: string; mapping: Record<string, string> };
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  items?: Schema;
  prefixItems?: Schema[];
  pattern?: string;
  maxItems?: number;
  maxProperties?: number;
  format?: string;
  level?: string;
  /** Of a kind of grader: what it stands among. */
  group?: string;
  /** Of a field that stands for others: what each of its choices sets them to. */
  presets?: Record<string, Preset>;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
}

export type Definitions = Record<string, Schema>;

export interface NumberNode {
  kind: "number";
  integer: boolean;
  keyword: string | null;
  bounds: Pick<Schema, "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum">;
}

export interface UnionNode {
  kind: "union";
  property: string;
  variants: Record<string, Schema>;
}

/** A list whose entries are drawn one below the other. */
export interface RowsNode {
  kind: "rows";
  item: Node;
  most: number | null;
}

export type Node = (
  | NumberNode
  | UnionNode
  | RowsNode
  | { kind: "text"; format: string | null; maxLength: number | null }
  | { kind: "choice"; options: string[] }
  | { kind: "switch" }
  | { kind: "list"; keyword: string | null }
  | { kind: "pair"; items: [NumberNode, NumberNode] }
  | { kind: "map"; most: number | null }
  | { kind: "object"; fields: Field[] }
  | { kind: "constant"; value: Json }
  | { kind: "json" }
  | { kind: "foreign" }
) & { nullable: boolean };

export interface Field {
  name: string;
  title: string;
  help: string;
  basic: boolean;
  required: boolean;
  fallback: Json | undefined;
  example: Json | undefined;
  node: Node;
  presets: Record<string, Preset> | null;
  /** The title of the choice that set the fallback, where one did. */
  preset: string | null;
}

/** The schema a `$ref` stands for; what stands beside the reference wins. */
export function follow(schema: Schema, definitions: Definitions): Schema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.split("/").at(-1) ?? "";
  const target = definitions[name];
  if (target === undefined) throw new Error(`the schema refers to “${name}”, which it does not define`);
  return { ...target, ...schema };
}

export function readNode(schema: Schema, definitions: Definitions): Node {
  const whole = follow(schema, definitions);
  if (whole.anyOf !== undefined) return readAlternatives(whole.anyOf, definitions);
  return { ...readPlain(whole, definitions), nullable: false } as Node;
}

function readPlain(schema: Schema, definitions: Definitions): Omit<Node, "nullable"> {
  if (schema.discriminator !== undefined) return readUnion(schema, definitions);
  if (schema.type === "null") return { kind: "constant", value: null } as Node;
  if (schema.const !== undefined) return { kind: "constant", value: schema.const } as Node;
  if (schema.enum !== undefined) return { kind: "choice", options: schema.enum.map(String) } as Node;
  if (schema.type === "boolean") return { kind: "switch" };
  if (schema.type === "string") {
    return { kind: "text", format: schema.format ?? null, maxLength: schema.maxLength ?? null } as Node;
  }
  if (isNumber(schema)) return readNumber(schema, null);
  if (schema.type === "array") return readArray(schema, definitions);
  if (schema.properties !== undefined) return { kind: "object", fields: readFields(schema, definitions) } as Node;
  if (isMapOfTexts(schema, definitions)) return { kind: "map", most: schema.maxProperties ?? null } as Node;
  return { kind: "json" };
}

const IN_ROWS = ["object", "text", "number", "choice", "switch"];

function readArray(schema: Schema, definitions: Definitions): Omit<Node, "nullable"> {
  const [first, second, ...more] = schema.prefixItems ?? [];
  if (first !== undefined && second !== undefined && more.length === 0) return readPair(first, second);
  if (schema.items === undefined) return { kind: "json" };
  const item = readNode(schema.items, definitions);
  // What has to fit a pattern is a name, and holds no comma.
  if (item.kind === "text" && follow(schema.items, definitions).pattern !== undefined) return { kind: "list", keyword: null } as Node;
  if (!IN_ROWS.includes(item.kind) || item.nullable) return { kind: "json" };
  return { kind: "rows", item, most: schema.maxItems ?? null } as Node;
}

function readPair(first: Schema, second: Schema): Omit<Node, "nullable"> {
  if (!isNumber(first) || !isNumber(second)) return { kind: "json" };
  return { kind: "pair", items: [readNumber(first, null), readNumber(second, null)] } as Node;
}

function isMapOfTexts({ type, additionalProperties }: Schema, definitions: Definitions): boolean {
  if (type !== "object" || typeof additionalProperties !== "object") return false;
  return follow(additionalProperties, definitions).type === "string";
}

function isNumber({ type }: Schema): boolean {
  return type === "integer" || type === "number";
}

function readNumber(schema: Schema, keyword: string | null): NumberNode {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const bounds = Object.fromEntries(
    Object.entries({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }).filter(([, bound]) => bound !== undefined),
  );
  return { kind: "number", integer: schema.type === "integer", keyword, bounds };
}

function readUnion(schema: Schema, definitions: Definitions): UnionNode {
  return { kind: "union", property: schema.discriminator?.propertyName ?? "", variants: variantsOf(schema, definitions) };
}

/** The members of a discriminated union by name, in the order in which they were written down. */
export function variantsOf(schema: Schema, definitions: Definitions): Record<string, Schema> {
  const order = (schema.oneOf ?? []).map(({ $ref }) => $ref);
  const named = Object.entries(schema.discriminator?.mapping ?? {});
  named.sort(([, a], [, b]) => order.indexOf(a) - order.indexOf(b));
  return Object.fromEntries(named.map(([name, $ref]) => [name, follow({ $ref }, definitions)]));
}

/** `X | None`, or `X | "auto"`. */
function readAlternatives(schemas: Schema[], definitions: Definitions): Node {
  const rest = schemas.filter((schema) => schema.type !== "null");
  const nullable = rest.length < schemas.length;
  const [first, second] = rest;
  if (first === undefined) return { kind: "json", nullable };
  if (second === undefined) return { ...readNode(first, definitions), nullable };
  const keyword = typeof second.const === "string" && rest.length === 2 ? second.const : null;
  if (keyword === null) return { kind: "json", nullable };
  if (isNumber(first)) return { ...readNumber(first, keyword), nullable };
  if (first.type === "array") return { kind: "list", keyword, nullable };
  return { kind: "json", nullable };
}

export function readFields(schema: Schema, definitions: Definitions): Field[] {
  return Object.entries(schema.properties ?? {}).map(([name, inner]) => readField(name, inner, schema, definitions));
}

function readField(name: string, inner: Schema, parent: Schema, definitions: Definitions): Field {
  const alternatives = inner.anyOf?.filter((schema) => schema.type !== "null") ?? [];
  const only = alternatives.length === 1 ? follow(alternatives[0] as Schema, definitions) : null;
  const whole = follow(inner, definitions);
  return {
    name,
    title: whole.title ?? only?.title ?? name,
    help: whole.description ?? only?.description ?? "",
    basic: whole.level === "basic",
    required: parent.required?.includes(name) ?? false,
    fallback: whole.default,
    example: whole.examples?.[0],
    node: readNode(inner, definitions),
    presets: whole.presets ?? null,
    preset: null,
  };
}

/** The fields as a preset leaves them: what it sets is what stands where nothing is set by hand. */
export function withPreset(fields: Field[], chosen: (name: string) => Json | undefined): Field[] {
  const source = fields.find(({ presets }) => presets !== null);
  const name = source === undefined ? undefined : chosen(source.name);
  const chosenOne = typeof name === "string" ? source?.presets?.[name] : undefined;
  if (chosenOne === undefined) return fields;
  const { sets, title } = chosenOne;
  return fields.map((field) => (field.name in sets ? { ...field, fallback: sets[field.name], preset: title } : field));
}

/** The smallest valid-looking document of a schema: its constants, its examples, empty required fields. */
export function blank(schema: Schema, definitions: Definitions): JsonObject {
  return blankOf(readFields(follow(schema, definitions), definitions));
}

function blankOf(fields: Field[]): JsonObject {
  const found: JsonObject = {};
  for (const field of fields) {
    if (field.node.kind === "constant") found[field.name] = field.node.value;
    else if (field.example !== undefined) found[field.name] = field.example;
    else if (field.required) found[field.name] = emptyOf(field.node);
  }
  return found;
}

function emptyOf(node: Node): Json {
  if (node.kind === "text") return "";
  if (node.kind === "switch") return false;
  if (node.kind === "choice") return node.options[0] ?? "";
  if (node.kind === "list" || node.kind === "rows") return [];
  return node.kind === "object" || node.kind === "map" || node.kind === "json" ? {} : null;
}

/** What a new row of a list begins with. */
export function newRow({ item }: RowsNode): Json {
  return item.kind === "object" ? blankOf(item.fields) : emptyOf(item);
}

/** The field that one entry of a list is. */
export function rowField(list: Field, { item }: RowsNode, index: number): Field {
  const title = `${list.title} ${index + 1}`;
  return { ...NO_FIELD, name: String(index), title, required: true, node: item };
}

/** A key that the schema does not know: it is shown, and kept. */
export function foreignField(name: string): Field {
  const help = gettext("This form does not know it: it is kept as it is.");
  return { ...NO_FIELD, name, title: name, help, node: { kind: "foreign", nullable: false } };
}

const NO_FIELD = { help: "", basic: true, required: false, fallback: undefined, example: undefined, presets: null, preset: null };

/** Whether a field takes the whole width of its form. */
export function isWide({ node, presets }: Field): boolean {
  return ["rows", "map", "json", "foreign"].includes(node.kind) || presets !== null;
}
