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

/** By rule, the file that breaks it. */
const BIOME_VIOLATIONS: Record<string, [name: string, text: string]> = {
  noExplicitAny: ['any', 'export const a: any = 1;\n'],
  noExcessiveLinesPerFunction: [
    'long-function',
    `export function a(): number {\n  let n = 0;\n${'  n += 1;\n'.repeat(75)}  return n;\n}\n`,
  ],
  noExcessiveLinesPerFile: [
    'long-file',
    Array.from({ length: 420 }, (_, i) => `export const a${i} = 1;\n`).join(''),
  ],
  useMaxParams: [
    'parameters',
    'export function a(b: number, c: number, d: number, e: number, f: number): number {\n  return b + c + d + e + f;\n}\n',
  ],
  noDefaultExport: ['default', 'export default 1;\n'],
  noBarrelFile: ['barrel', "export * from './b.ts';\n"],
  noProcessEnv: ['environment', "export const a = process.env['A'];\n"],
  useFilenamingConvention: ['BigFile', 'export const a = 1;\n'],
  noNonNullAssertion: ['non-null', 'export const a = (b?: number) => b!;\n'],
  noFloatingPromises: [
    'floating',
    'async function b(): Promise<void> {}\nexport function a(): void {\n  b();\n}\n',
  ],
  format: ['format', 'export const  a = 1;\n'],
};

test('the Biome gate passes sound code and refuses a planted violation of each rule', () => {
  using clean = planted({ 'services/api/a.ts': 'export const a = 1;\n' });
  const sound = run(clean.folder, 'biome', ['ci', 'services']);
  assert.equal(sound.status, 0, sound.output);
  const files = Object.values(BIOME_VIOLATIONS).map(([name, text]) => [
    `services/api/${name}.ts`,
    text,
  ]);
  using broken = planted(Object.fromEntries(files));
  const { status, output } = run(broken.folder, 'biome', [
    ...['ci', '--colors=off', '--max-diagnostics=none', 'services'],
  ]);
  assert.notEqual(status, 0);
  for (const [rule, [name]] of Object.entries(BIOME_VIOLATIONS)) {
    const refusal = new RegExp(`^services/api/${name}\\.ts(:\\S+)? (\\S+/)?${rule} `, 'm');
    assert.match(output, refusal, `${rule} was not refused`);
  }
});

const importing = (path: string): string => `import { a } from '${path}';\nexport const b = a;\n`;
/** By rule, the files that break it; the first one is refused. */
const LAYER_VIOLATIONS: Record<string, Record<string, string>> = {
  'services-are-strangers': { 'services/metering/stranger.ts': importing('../alerter/a.ts') },
  'one-door-per-service': { 'services/all-in-one/door.ts': importing('../alerter/a.ts') },
  'shared-is-below': { 'shared/runtime/below.ts': importing('../../services/alerter/a.ts') },
  'production-never-imports-test': { 'services/api/test.ts': importing('../../test/a.ts') },
  'pure-code-does-no-io': {
    'shared/intervals/io.ts': importing('../runtime/clock.ts'),
  },
  'pure-code-uses-no-platform': {
    'shared/rating/platform.ts':
      "import { readFileSync } from 'node:fs';\nexport const b = readFileSync;\n",
  },
  'values-import-nothing': { 'shared/values/import.ts': importing('../contracts/a.ts') },
  'adapters-are-chosen-once': {
    'services/api/adapter.ts': importing('../../shared/stores/sql/a.ts'),
  },
  'clusters-are-chosen-once': {
    'services/api/cluster.ts': importing('../../shared/clusters/yarn/a.ts'),
  },
  'drivers-live-in-adapters': {
    'services/api/driver.ts':
      "import { DatabaseSync } from 'node:sqlite';\nexport const b = DatabaseSync;\n",
  },
  'kafka-lives-in-one-file': {
    'services/api/kafka.ts': "import { Kafka } from 'kafkajs';\nexport const b = Kafka;\n",
  },
  'aws-lives-in-its-adapter': {
    'shared/clusters/aws.ts':
      "import { EMRClient } from '@aws-sdk/client-emr';\nexport const b = EMRClient;\n",
  },
  'one-writer-of-the-ledger': {
    'services/api/ledger.ts': importing('../../shared/stores/ledger-writer.ts'),
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
  using broken = planted(Object.assign({}, LANDSCAPE, ...Object.values(LAYER_VIOLATIONS)));
  const { status, output } = run(broken.folder, 'depcruise', args);
  assert.notEqual(status, 0);
  for (const { name } of forbidden) {
    const [file] = Object.keys(LAYER_VIOLATIONS[name] ?? {});
    assert.ok(file, `plant a violation of ${name}`);
    assert.ok(output.includes(`${name}: ${file} →`), `${name} is not refused in: ${output}`);
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
