/** The part of JSON Schema that configuration schemas use. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** Named options below a schema, and the schema of a list's entries; of all variants together. */
export function optionsOf(schema: JsonSchema): {
  properties: Readonly<Record<string, JsonSchema>> | undefined;
  items: JsonSchema | undefined;
} {
  const variants = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  const named = variants.flatMap(({ properties }) =>
    properties === undefined ? [] : [properties],
  );
  // A map of free names, such as tags, has no unknown key.
  const free = variants.some(
    ({ additionalProperties }) =>
      typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0,
  );
  return {
    properties: named.length === 0 || free ? undefined : Object.assign({}, ...named),
    items: variants.find(({ items }) => items !== undefined)?.items,
  };
}
