import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { runTollgate } from '../support/cli-run.ts';
import { temporaryFolder } from '../support/running-tollgate.ts';

const WRONG = `dataFolder: ""
logLevle: info
api:
  port: 99999
logs:
  files:
    - paths: []
      zone: Mars/Base
  quietMs: -1
metering:
  projects:
    - id: ../x
containers:
  clusters:
    - { id: a, type: yarn }
__proto__: 1
`;
const PROBLEMS = [
  '1:13 dataFolder: ',
  '2:1 logLevle: is no option; did you mean "logLevel"?',
  '4:9 api.port: ',
  '7:14 logs.files[0].paths: ',
  '8:13 logs.files[0].zone: is no IANA time zone',
  '9:12 logs.quietMs: ',
  '12:11 metering.projects[0].id: is no project id',
  '15:7 containers.clusters[0].urls: ',
  '16:1 __proto__: is no option',
];

test('a wrong configuration tells all its problems at once, with lines, and nothing starts', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'tollgate.yaml');
  writeFileSync(file, WRONG);
  const runs = await Promise.all([
    runTollgate('config', 'check', file),
    runTollgate('start', '-c', file),
  ]);
  for (const { code, out, err } of runs) {
    assert.equal(code, 1);
    assert.equal(out, '');
    const lines = err.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /has 9 problems/);
    for (const [i, problem] of PROBLEMS.entries()) {
      const line = lines[i + 1] ?? '';
      assert.ok(line.startsWith(`${file}:${problem}`), `${line}, not ${problem}`);
    }
  }
});

test('a file that is no configuration is a problem told in a line, whatever it holds', async () => {
  await using folder = await temporaryFolder();
  const files: Record<string, string | Uint8Array> = {
    binary: Buffer.from([0, 1, 2, 255, 254]),
    half: 'api: [1,\n',
    utf16: Buffer.from('\ufeffapi:\n  port: 1\n', 'utf16le'),
  };
  const runs = Object.entries(files).map(async ([name, bytes]) => {
    const file = join(folder.path, name);
    writeFileSync(file, bytes);
    const { code, err } = await runTollgate('config', 'check', file);
    assert.equal(code, 1, name);
    assert.match(err, /has (a|\d+) problems?\n.*:\d+:\d+ ./, name);
    assert.doesNotMatch(err, /inside Tollgate|\n +at /, name);
  });
  await Promise.all(runs);
});
