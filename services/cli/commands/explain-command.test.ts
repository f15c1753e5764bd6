import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restCharges } from '../../../shared/contracts/rest.ts';
import { restExplanation } from '../../../shared/contracts/rest-explanation.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import { EXPLAINED_START, explainedApi } from '../../../test/support/explained-api.ts';
import { containerFact, T0 } from '../../../test/support/fact-builders.ts';
import { journalBatch } from '../../../test/support/journal-batch.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { settleFacts } from '../../../test/support/settle-facts.ts';
import { explainCommand } from './explain-command.ts';

const PATH = '/v1/projects/etl/charges?from=-7d';

test('a charge is told whole: facts, intervals, price, each product, the one rounding', async () => {
  await using api = await explainedApi();
  const { charges } = await api.get(PATH, restCharges);
  const args = ['explain', '-p', 'etl', charges[1]?.id ?? '', '--url', api.url];
  const { out, err, exitCode } = await runCommand(explainCommand, args);
  assert.equal(exitCode, 0, err);
  assert.match(out, /^charge .*: in-force$/m);
  assert.match(out, /passed over: event-log is trusted more \(0\.4 s apart\)$/m);
  assert.match(out, /^ {2}1\.15 X {2}2026-11-21 06:30 to 2026-11-21 07:00 {2}load \(share 0\.93/m);
  assert.match(
    out,
    /cores +7,200,000,000 millicore-ms ÷ 1,000 ÷ 1,000 × 900,000 × 1\.15 += +7,452/,
  );
  assert.match(out, /sum +nanocredits, exact += +50,064,890,625$/m);
  assert.match(out, /amount +rounded once, half to even += +50,064,890,625$/m);
  assert.match(out, /^recomputed 50,064,890,625 nanocredits = ledger$/m);
  const wide = out.split('\n').filter((line) => line.length > 128);
  assert.deepEqual(wide, []);
});

test('an application is told by the lines of all its containers, whatever their pages', async () => {
  await using api = await explainedApi();
  const more = Array.from({ length: 12 }, (_, i) => `d${i}`).flatMap((container) => [
    containerFact('container-started', EXPLAINED_START, { container }),
    containerFact('container-stopped', EXPLAINED_START + HOUR_MS, { container }),
  ]);
  await settleFacts(api.stores, more, T0);
  const args = ['explain', '-p', 'etl', 'app-1', '--url', api.url];
  const text = await runCommand(explainCommand, args);
  assert.equal(text.exitCode, 0, text.err);
  assert.equal(text.out.match(/^container /gm)?.length, 13);
  assert.match(text.out, /^recomputed [\d,]+ nanocredits = ledger$/m);
  const json = restExplanation.parse(
    JSON.parse((await runCommand(explainCommand, [...args, '--json'])).out),
  );
  assert.equal(json.containers.length, 13);
  assert.equal(json.verdict.recomputed, json.application.charged);
  const full = await runCommand(explainCommand, [...args, '--full']);
  assert.equal(full.out.match(/^FACTS of 2026-11-21$/gm)?.length, 13);
});

test('a difference is told by name, and by the exit code', async () => {
  await using api = await explainedApi();
  const at = EXPLAINED_START + 40 * MINUTE_MS;
  const earlier = containerFact('container-stopped', at);
  await api.stores.journalWriter.record(journalBatch({ facts: [earlier] }), T0);
  const args = ['explain', '-p', 'etl', 'app-1', '--url', api.url];
  const { out, exitCode } = await runCommand(explainCommand, args);
  assert.equal(exitCode, 1);
  assert.match(out, /^ {2}DIFFERENCE the facts no longer tell of it: the row is to be retracted$/m);
  assert.match(out, /the ledger has [\d,]+ \(difference -[\d,]+\)$/m);
});

test('what is not there is told by the API, what is not said by the command', async () => {
  await using api = await explainedApi();
  const none = await runCommand(explainCommand, ['explain', '-p', 'etl', 'x', '--url', api.url]);
  assert.equal(none.exitCode, 4);
  assert.match(none.err, /project etl has no such charge or application/);
  const help = await runCommand(explainCommand, ['explain', '--help']);
  assert.match(help.out, /Example:\n {2}tollgate explain -p etl application_/);
  assert.equal((await runCommand(explainCommand, ['explain', 'app-1'])).exitCode, 2);
});
