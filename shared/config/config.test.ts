import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';
import { describeConfig, printConfigReference } from './describe-config.ts';
import { nearestName } from './nearest-name.ts';
import { readConfig } from './read-config.ts';

const schema = z.object({
  api: z
    .object({
      port: z.number().int().min(0).max(65_535).default(8_470).describe('Port of the API.'),
      host: z.string().default('127.0.0.1').describe('Address of the API.'),
    })
    .prefault({})
    .describe('The API.'),
  password: z.string().optional().describe('A secret.'),
  projects: z
    .array(z.object({ id: z.string().min(2).describe('Id.') }))
    .default([])
    .describe('Projects.'),
  tags: z.record(z.string(), z.string()).default({}).describe('Free names.'),
});

/** `${name}`, as a file writes it. */
const variable = (name: string) => `$\{${name}}`;
const nothing = () => {
  throw new Error('no such file');
};
const read = (text: string, env = {}, readFile: (path: string) => string = nothing) =>
  readConfig(schema, { text, env, readFile });

test('an empty file gives the defaults', () => {
  for (const text of ['', '# nothing\n', '{}']) {
    const { config, problems } = read(text);
    assert.deepEqual(problems, []);
    assert.equal(config?.api.port, 8_470);
  }
});

test('all problems are told at once, with line and column, in the order of the file', () => {
  const { config, problems } = read(
    'api:\n  prot: 1\n  host: 7\nprojects:\n  - id: x\n  - ids: ab\nwrong: true\n',
  );
  assert.equal(config, undefined);
  assert.deepEqual(
    problems.map(({ line, path }) => `${line} ${path}`),
    [
      '2 api.prot',
      '3 api.host',
      '5 projects[0].id',
      '6 projects[1].ids',
      '6 projects[1].id',
      '7 wrong',
    ],
  );
  assert.match(problems[0]?.message ?? '', /did you mean "port"/);
});

test('what is no YAML is told with its line', () => {
  const { problems } = read('api:\n  port: [1\nhost: }');
  assert.ok(problems.length > 0);
  assert.ok((problems[0]?.line ?? 0) >= 2);
});

test('aliases that multiply beyond measure are a problem of the file, and no crash', () => {
  const lists = Array.from(
    { length: 9 },
    (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`,
  );
  const { config, problems } = read(['l0: &l0 [x]', ...lists].join('\n'));
  assert.equal(config, undefined);
  assert.match(problems[0]?.message ?? '', /aliases can't be followed/);
  assert.match(read('l: *nowhere').problems[0]?.message ?? '', /alias/i);
});

test('a key that stands twice is refused rather than one of the two taken', () => {
  assert.match(read('tags: {}\ntags: {}\n').problems[0]?.message ?? '', /unique/i);
});

test('secrets come from the environment or from a file that it names', () => {
  assert.equal(read(`password: ${variable('PW')}`, { PW: 'a' }).config?.password, 'a');
  const fromFile = read(`password: x${variable('PW')}y`, { PW_FILE: '/run/pw' }, () => 'b\n');
  assert.equal(fromFile.config?.password, 'xby');
});

test('a missing variable is named with its line, and no problem tells a value', () => {
  const { problems } = read(`api:\n  port: ${variable('PW')}\n  host: ${variable('GONE')}\n`, {
    PW: 'hunter2',
  });
  assert.ok(problems.some(({ line, message }) => line === 3 && message.includes('GONE')));
  assert.ok(!JSON.stringify(problems).includes('hunter2'));
});

test('names of free maps are not unknown, and hostile keys pollute nothing', () => {
  assert.deepEqual(read('tags:\n  CostCenter: "1"\n').config?.tags, { CostCenter: '1' });
  read('__proto__:\n  polluted: true\n');
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('the reference is itself a valid configuration with every default', () => {
  const text = printConfigReference(schema);
  const { config, problems } = read(text);
  assert.deepEqual(problems, [], text);
  assert.deepEqual(config, read('').config);
  assert.match(text, /# Port of the API\.\n {2}# integer 0…65535\n {2}port: 8470/);
});

test('a section that may be missing is shown, and not there', () => {
  const source = z.object({ topic: z.string().describe('Topic.') });
  const optional = z.object({ kafka: source.optional().describe('Kafka.') });
  const text = printConfigReference(optional);
  assert.match(text, /^# Kafka\.\n# kafka:\n# {3}# Topic\.\n/);
  assert.deepEqual(readConfig(optional, { text, env: {}, readFile: nothing }).config, {});
});

test('every option is described with type, default and sentence', () => {
  const port = describeConfig(schema).find(({ path }) => path === 'api.port');
  assert.deepEqual(port, {
    path: 'api.port',
    type: 'integer 0…65535',
    default: 8_470,
    description: 'Port of the API.',
  });
  assert.ok(describeConfig(schema).some(({ path }) => path === 'projects[].id'));
});

test('the nearest name is a near one', () => {
  assert.equal(nearestName('interval', ['intervalMs', 'host']), 'intervalMs');
  assert.equal(nearestName('zzz', ['intervalMs', 'host']), undefined);
});
