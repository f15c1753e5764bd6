/** A file of the tree, as the tidy rules see it. */
export interface TreeFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

interface Rule {
  readonly name: string;
  readonly check: (files: readonly TreeFile[]) => string[];
}

const CLOCK = 'shared/runtime/clock.ts';
const BANNED_NAMES = /(^|[-.])(utils?|helpers?|common|managers?|index|misc)([-.]|$)/;
const isCode = (path: string): boolean => /\.(ts|js|cjs)$/.test(path);
const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.startsWith('test/');
const isProduction = (path: string): boolean =>
  /^(services|shared)\//.test(path) && isCode(path) && !isTest(path);
const isPage = (path: string): boolean => path.startsWith('services/web/');

/** Lines that match, as `path:line`. */
function hits(files: readonly TreeFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}`] : [])),
  );
}

/** Lines of code: a contract in prose above a function asks for no test of its own. */
function codeLines(files: readonly TreeFile[]): number {
  const withoutBlocks = (text: string): string => text.replace(/^\s*\/\*[\s\S]*?\*\//gm, '');
  return files.reduce((sum, { text }) => {
    const lines = withoutBlocks(text).split('\n');
    return sum + lines.filter((line) => !/^\s*(\/\/|$)/.test(line)).length;
  }, 0);
}

function foldersBelow(files: readonly TreeFile[], parent: string): Set<string> {
  const folders = files.flatMap(({ path }) => {
    const [top, folder, ...rest] = path.split('/');
    return top === parent && folder !== undefined && rest.length > 0 ? [`${top}/${folder}`] : [];
  });
  return new Set(folders);
}

/** Lines of test code for each line of production code. Chosen, not measured. */
const TEST_RATIO = 0.8;

const README_LINES = 80;

export const TIDY_RULES: readonly Rule[] = [
  {
    name: 'time-only-in-the-clock',
    check: (files) =>
      hits(
        files.filter(({ path }) => isProduction(path) && path !== CLOCK && !isPage(path)),
        /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bprocess\.hrtime/,
      ),
  },
  {
    name: 'randomness-is-an-argument',
    check: (files) =>
      hits(
        files.filter(({ path }) => isProduction(path) && !/\/(start|main)\.ts$/.test(path)),
        /\bMath\.random\(\)/,
      ),
  },
  {
    name: 'no-module-mocks',
    check: (files) =>
      hits(
        files.filter(({ path }) => isCode(path)),
        /\bmock\.module\(['"`]/,
      ),
  },
  {
    name: 'no-vague-names',
    check: (files) =>
      files.flatMap(({ path }) => {
        if (!/^(services|shared|test)\//.test(path)) return [];
        const vague = path.split('/').some((part) => BANNED_NAMES.test(part));
        // A page's start file is called index.html by every web server.
        return vague && !path.endsWith('/index.html') ? [path] : [];
      }),
  },
  {
    name: 'every-folder-has-a-readme',
    check: (files) => {
      const paths = new Set(files.map(({ path }) => path));
      return [...foldersBelow(files, 'services'), ...foldersBelow(files, 'shared')].filter(
        (folder) => !paths.has(`${folder}/README.md`),
      );
    },
  },
  {
    name: 'every-todo-names-an-issue',
    check: (files) =>
      hits(
        files.filter(({ path }) => isCode(path)),
        /@TODO(?!\(#\d+\))|\/\/\s*(TODO|FIXME|XXX)\b/,
      ),
  },
  {
    name: 'no-machine-paths',
    check: (files) => hits(files, /(^|[\s"'`(=])\/(work|root|home)\/[a-z]/),
  },
  {
    name: 'no-skipped-tests',
    check: (files) =>
      hits(
        files.filter(({ path }) => isTest(path)),
        /\b(test|it|describe)\.(skip|todo|only)\(|\b(skip|todo|only): *true/,
      ),
  },
  {
    name: 'tests-keep-up',
    check: (files) => {
      const production = codeLines(files.filter(({ path }) => isProduction(path)));
      const tests = codeLines(files.filter(({ path }) => isTest(path) && isCode(path)));
      return production === 0 || tests / production >= TEST_RATIO
        ? []
        : [`${tests} lines of tests for ${production} lines of production code`];
    },
  },
  {
    name: 'readme-is-short',
    check: (files) => {
      const readme = files.find(({ path }) => path === 'README.md');
      const lines = readme?.text.trimEnd().split('\n').length ?? 0;
      return lines <= README_LINES ? [] : [`README.md has ${lines} lines`];
    },
  },
];

/** Every breach of every rule, as `rule: place`. */
export function tidyProblems(files: readonly TreeFile[]): string[] {
  return TIDY_RULES.flatMap(({ name, check }) => check(files).map((place) => `${name}: ${place}`));
}
