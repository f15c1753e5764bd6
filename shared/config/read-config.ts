import { isMap, isNode, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { z } from 'zod';
import { nearestName } from './nearest-name.ts';
import { type JsonSchema, optionsOf } from './schema-options.ts';

/** One thing that is wrong, where it stands, and what to do. Never holds a value: it may be secret. */
export interface ConfigProblem {
  readonly line: number;
  readonly column: number;
  /** Such as `metering.pools[0].id`; '' for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface ConfigSource {
  readonly text: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a secret's file, as a `…_FILE` variable names it. Throws when it can't. */
  readonly readFile: (path: string) => string;
}

export type ReadConfig<T> =
  | { readonly config: T; readonly problems: readonly [] }
  | { readonly config: undefined; readonly problems: readonly ConfigProblem[] };

type Path = readonly (string | number)[];

export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : `${text}${text === '' ? '' : '.'}${part}`,
    '',
  );
}

class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly #source: ConfigSource;
  readonly #lines = new LineCounter();
  readonly #document;

  constructor(source: ConfigSource) {
    this.#source = source;
    this.#document = parseDocument(source.text, { lineCounter: this.#lines, uniqueKeys: true });
    for (const error of this.#document.errors) {
      const { line, col } = this.#lines.linePos(error.pos[0]);
      const message = error.message.split('\n')[0] ?? 'is no YAML';
      this.problems.push({ line, column: col, path: '', message });
    }
    if (this.problems.length === 0) this.#checkAliases();
  }

  /** Aliases of aliases can stand for more than memory holds; the parser refuses to follow them. */
  #checkAliases(): void {
    try {
      this.#document.toJS();
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      this.add([], `its aliases can't be followed: ${error.message}`);
    }
  }

  #at(node: Node | null | undefined): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** The node at a path, or the deepest one above it that exists. */
  #nodeAt(path: Path): Node | null {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const node = this.#document.getIn(path.slice(0, depth), true);
      if (isNode(node)) return node;
    }
    return this.#document.contents as Node | null;
  }

  add(path: Path, message: string, node: Node | null = this.#nodeAt(path)): void {
    this.problems.push({ ...this.#at(node), path: pathText(path), message });
  }

  /** `${NAME}` is the variable, or the content of the file that `NAME_FILE` names. */
  substitute(): void {
    visit(this.#document, {
      Scalar: (_key, node) => {
        if (typeof node.value !== 'string' || !node.value.includes('${')) return;
        node.value = node.value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_all, name: string) =>
          this.#variable(name, node),
        );
      },
    });
  }

  #variable(name: string, node: Node): string {
    const { env, readFile } = this.#source;
    const value = env[name];
    if (value !== undefined) return value;
    const file = env[`${name}_FILE`];
    const where = this.#at(node);
    if (file === undefined) {
      const message = `the environment has neither ${name} nor ${name}_FILE`;
      this.problems.push({ ...where, path: '', message });
      return '';
    }
    try {
      return readFile(file).trimEnd();
    } catch {
      const message = `the file that ${name}_FILE names cannot be read`;
      this.problems.push({ ...where, path: '', message });
      return '';
    }
  }

  /** Keys that no option has, each with the nearest name that one has. */
  unknownKeys(schema: JsonSchema, path: Path = []): void {
    const node = path.length === 0 ? this.#document.contents : this.#nodeAt(path);
    const { properties, items } = optionsOf(schema);
    if (isMap(node) && properties !== undefined) {
      for (const { key } of node.items) {
        const name = String(isScalar(key) ? key.value : key);
        const child = Object.hasOwn(properties, name) ? properties[name] : undefined;
        if (child !== undefined) this.unknownKeys(child, [...path, name]);
        else this.#unknown([...path, name], Object.keys(properties), key as Node);
      }
    }
    const value = path.length === 0 ? this.#document.toJS() : this.#document.getIn(path);
    if (items !== undefined && isNode(value) && 'items' in value) {
      (value.items as unknown[]).forEach((_, i) => {
        this.unknownKeys(items, [...path, i]);
      });
    }
  }

  #unknown(path: Path, known: readonly string[], node: Node): void {
    const near = nearestName(String(path.at(-1)), known);
    const hint = near === undefined ? `known: ${known.join(', ')}` : `did you mean "${near}"?`;
    this.add(path, `is no option; ${hint}`, node);
  }

  value(): unknown {
    return this.#document.toJS() ?? {};
  }
}

/** Reads a YAML configuration. All problems are told at once, in the order of the file. */
export function readConfig<S extends z.ZodType>(
  schema: S,
  source: ConfigSource,
): ReadConfig<z.infer<S>> {
  const reader = new Reader(source);
  if (reader.problems.length > 0) return { config: undefined, problems: reader.problems };
  reader.substitute();
  const jsonSchema = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  reader.unknownKeys(jsonSchema as JsonSchema);
  const parsed = schema.safeParse(reader.value());
  if (!parsed.success) {
    for (const issue of parsed.error.issues) reader.add(issue.path as Path, issue.message);
  }
  if (parsed.success && reader.problems.length === 0) return { config: parsed.data, problems: [] };
  const problems = [...reader.problems].sort((a, b) => a.line - b.line || a.column - b.column);
  return { config: undefined, problems };
}
