import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { alertDigest } from './alert-digest.ts';
import { parseRuleFile, RULE_FILE_BYTES_MAX } from './parse-rule-file.ts';
import { NO_RULES, nextRuleSet, type RuleFile, type RuleSet } from './rules/rule-set.ts';

/** Most files below all paths. */
const FILES_MAX = 500;
/** A file that is replaced may be away for a moment. */
const LOOKS_WITHOUT = 2;

interface Known {
  readonly text: string;
  readonly parsed: RuleFile;
  /** Looks in a row in which its folder was there and it wasn't. */
  readonly missing: number;
}

/** What one look found of a path of the configuration. */
interface Listed {
  readonly files: readonly string[];
  /** Why nothing is known of what lies below the path; undefined when it was seen. */
  readonly problem: string | undefined;
}

function unreadable(file: string, message: string): RuleFile {
  const problem = { file, line: 1, column: 1, rule: undefined, message };
  return { file, rules: [], problems: [problem], readable: false };
}

function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' ? 'it is not there' : (code ?? String(error));
}

/** Rules in files, looked at again and again: what changed, came or went counts from the next look. */
export class RuleFiles {
  readonly #paths: readonly string[];
  #known = new Map<string, Known>();
  #found: readonly RuleFile[] = [];
  #current = NO_RULES;

  /** @param paths files, and folders whose `*.yaml` and `*.yml` are read */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  get current(): RuleSet {
    return this.#current;
  }

  /**
   * Reads what there is. What can't be read goes on as it was, and is a problem.
   *
   * @returns the same set as before where nothing changed
   */
  async look(): Promise<RuleSet> {
    const next = new Map<string, Known>();
    const troubles: RuleFile[] = [];
    for (const path of this.#paths) {
      const { files, problem } = await this.#list(path);
      for (const file of files.slice(0, FILES_MAX - next.size)) {
        next.set(file, await this.#read(file));
      }
      if (files.some((file) => !next.has(file))) {
        troubles.push(unreadable(path, `there are more than ${FILES_MAX} rule files`));
      }
      if (problem !== undefined) troubles.push(unreadable(path, problem));
      for (const [file, known] of this.#known) {
        if (next.has(file) || !(file === path || file.startsWith(join(path, '/')))) continue;
        const missing = known.missing + (problem === undefined ? 1 : 0);
        if (missing < LOOKS_WITHOUT) next.set(file, { ...known, missing });
      }
    }
    this.#known = next;
    const found = [...[...next.values()].map(({ parsed }) => parsed), ...troubles];
    // The same set tells that nothing changed.
    const same = (file: RuleFile, i: number): boolean =>
      file === this.#found[i] || isDeepStrictEqual(file, this.#found[i]);
    if (found.length === this.#found.length && found.every(same)) return this.#current;
    this.#found = found;
    this.#current = nextRuleSet(found, this.#current);
    return this.#current;
  }

  async #list(path: string): Promise<Listed> {
    try {
      const found = await stat(path);
      if (!found.isDirectory()) return { files: [path], problem: undefined };
      const names = (await readdir(path)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
      // An empty folder is as likely a mount that is away.
      const problem = names.length === 0 ? 'it holds no rule file (*.yaml)' : undefined;
      return { files: names.map((name) => join(path, name)), problem };
    } catch (error) {
      return { files: [], problem: `it can't be read: ${codeOf(error)}` };
    }
  }

  async #read(file: string): Promise<Known> {
    try {
      const found = await stat(file);
      if (!found.isFile()) return this.#failed(file, 'it is no file');
      if (found.size > RULE_FILE_BYTES_MAX) {
        return this.#failed(file, `it has more than ${RULE_FILE_BYTES_MAX} bytes; split it`);
      }
      const text = await readFile(file, 'utf8');
      const known = this.#known.get(file);
      if (known?.text === text && known.parsed.readable) return { ...known, missing: 0 };
      return { text, parsed: parseRuleFile(file, text, alertDigest), missing: 0 };
    } catch (error) {
      return this.#failed(file, `it can't be read: ${codeOf(error)}`);
    }
  }

  #failed(file: string, message: string): Known {
    return { text: '', parsed: unreadable(file, message), missing: 0 };
  }
}
