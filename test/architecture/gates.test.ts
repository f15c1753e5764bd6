import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import test from 'node:test';

/** Each gate of `npm run check` is run on a small tree with a planted violation, and must refuse it. */

const ROOT = resolve(import.meta.dirname, '../..');
const CONFIGS = ['tsconfig.json', 'tsconfig.build.json', 'biome.json', 'package.json'];

function planted(files: Record<string, string>): { folder: string; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-gate-'));
  for (const config of CONFIGS) cpSync(join(ROOT, config), join(folder, config));
  cpSync(join(ROOT, 'test/architecture/layers.cjs'), join(folder, 'test/architecture/layers.cjs'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, '.gitignore'), 'node_modules\n');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  spawnSync('git', ['init', '-q'], { cwd: folder });
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

function run(folder: string, bin: string, args: string[]): { status: number; output: string } {
  const done = spawnSync(join(ROOT, 'node_modules/.bin', bin), args, {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status: done.status ?? -1, output: `${done.stdout}${done.stderr}` };
}

test('the type gate passes sound code and refuses a planted type error', () => {
  using clean = planted({ 'shared/values/a.ts': 'export const a: number = 1;\n' });
  assert.equal(run(clean.folder, 'tsc', ['-p', '.']).status, 0);
  using broken = planted({
    'shared/values/a.ts': 'const list = [1];\nexport const a: number = list[0];\n',
  });
  const { status, output } = run(broken.folder, 'tsc', ['-p', '.']);
  assert.notEqual(status, 0);
  assert.match(output, /TS2322/, 'an unchecked index is refused');
});

const BIOME_VIOLATIONS: Record<string, [path: string, text: string]> = {
  noExplicitAny: ['services/api/a.ts', 'export const a: any = 1;\n'],
  noExcessiveLinesPerFunction: [
    'services/api/a.ts',
    `export function a(): number {\n  let n = 0;\n${'  n += 1;\n'.repeat(75)}  return n;\n}\n`,
  ],
  noExcessiveLinesPerFile: ['services/api/a.ts', 'export const a = 1;\n'.repeat(420)],
  useMaxParams: [
    'services/api/a.ts',
    'export function a(b: number, c: number, d: number, e: number, f: number): number {\n  return b + c + d + e + f;\n}\n',
  ],
  noDefaultExport: ['services/api/a.ts', 'export default 1;\n'],
  noBarrelFile: ['services/api/a.ts', "export * from './b.ts';\n"],
  noProcessEnv: ['services/api/a.ts', "export const a = process.env['A'];\n"],
  useFilenamingConvention: ['services/api/BigFile.ts', 'export const a = 1;\n'],
  noNonNullAssertion: ['services/api/a.ts', 'export const a = (b?: number) => b!;\n'],
  noFloatingPromises: [
    'services/api/a.ts',
    'async function b(): Promise<void> {}\nexport function a(): void {\n  b();\n}\n',
  ],
  format: ['services/api/a.ts', 'export const  a = 1;\n'],
};

test('the Biome gate passes sound code and refuses a planted violation of each rule', () => {
  using clean = planted({ 'services/api/a.ts': 'export const a = 1;\n' });
  const sound = run(clean.folder, 'biome', ['ci', 'services']);
  assert.equal(sound.status, 0, sound.output);
  for (const [rule, [path, text]] of Object.entries(BIOME_VIOLATIONS)) {
    using broken = planted({ [path]: text });
    const { status, output } = run(broken.folder, 'biome', ['ci', 'services']);
    assert.notEqual(status, 0, `${rule} was not refused`);
    assert.ok(output.includes(rule), `${rule} is not named in: ${output}`);
  }
});

const importing = (path: string): string => `import { a } from '${path}';\nexport const b = a;\n`;
const LAYER_VIOLATIONS: Record<string, Record<string, string>> = {
  'services-are-strangers': { 'services/metering/a.ts': importing('../alerter/a.ts') },
  'one-door-per-service': { 'services/all-in-one/a.ts': importing('../alerter/a.ts') },
  'shared-is-below': { 'shared/runtime/a.ts': importing('../../services/alerter/a.ts') },
  'production-never-imports-test': { 'services/api/a.ts': importing('../../test/a.ts') },
  'pure-code-does-no-io': {
    'services/metering/intervals/a.ts': importing('../../../shared/runtime/clock.ts'),
  },
  'pure-code-uses-no-platform': {
    'shared/rating/a.ts':
      "import { readFileSync } from 'node:fs';\nexport const b = readFileSync;\n",
  },
  'values-import-nothing': { 'shared/values/a.ts': importing('../contracts/a.ts') },
  'adapters-are-chosen-once': { 'services/api/a.ts': importing('../../shared/stores/sql/a.ts') },
  'clusters-are-chosen-once': {
    'services/api/a.ts': importing('../../shared/clusters/yarn/a.ts'),
  },
  'drivers-live-in-adapters': {
    'services/api/a.ts':
      "import { DatabaseSync } from 'node:sqlite';\nexport const b = DatabaseSync;\n",
  },
  'kafka-lives-in-one-file': {
    'services/api/a.ts': "import { Kafka } from 'kafkajs';\nexport const b = Kafka;\n",
  },
  'one-writer-of-the-ledger': {
    'services/api/a.ts': importing('../../shared/stores/ledger-writer.ts'),
  },
  'no-cycles': {
    'shared/errors/c.ts': "import { d } from './d.ts';\nexport const c = () => d;\n",
    'shared/errors/d.ts': "import { c } from './c.ts';\nexport const d = () => c;\n",
  },
};

/** What the planted files import. */
const LANDSCAPE = Object.fromEntries(
  [
    'services/alerter/a.ts',
    'shared/contracts/a.ts',
    'shared/runtime/clock.ts',
    'shared/stores/ledger-writer.ts',
    'shared/stores/sql/a.ts',
    'shared/clusters/yarn/a.ts',
    'test/a.ts',
  ].map((path) => [path, 'export const a = 1;\n']),
);

test('the layer gate passes a clean tree and refuses a planted violation of each rule', () => {
  const args = ['--config', 'test/architecture/layers.cjs', 'services', 'shared', 'test'];
  using clean = planted(LANDSCAPE);
  const sound = run(clean.folder, 'depcruise', args);
  assert.equal(sound.status, 0, sound.output);
  const { forbidden } = process.getBuiltinModule('module').createRequire(import.meta.url)(
    './layers.cjs',
  ) as { forbidden: { name: string }[] };
  for (const { name } of forbidden) {
    const violation = LAYER_VIOLATIONS[name];
    assert.ok(violation, `plant a violation of ${name}`);
    using broken = planted({ ...LANDSCAPE, ...violation });
    const { status, output } = run(broken.folder, 'depcruise', args);
    assert.notEqual(status, 0, `${name} was not refused`);
    assert.ok(output.includes(name), `${name} is not named in: ${output}`);
  }
});

test('the unused-code gate refuses a planted unused export and an unused file', () => {
  using broken = planted({
    'services/cli/main.ts': "import { used } from './used.ts';\nconsole.log(used);\n",
    'services/cli/used.ts': 'export const used = 1;\nexport const unusedExport = 2;\n',
    'services/cli/unused-file.ts': 'export const nobody = 1;\n',
  });
  const { status, output } = run(broken.folder, 'knip', ['--include', 'files,exports']);
  assert.notEqual(status, 0);
  assert.match(output, /unusedExport/);
  assert.match(output, /unused-file/);
});
