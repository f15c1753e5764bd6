import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { alertsCommand } from '../../services/cli/commands/alerts-command.ts';
import { HookServer } from '../support/hook-server.ts';
import { CREDITS_RULE, pagingConfig, useCredits } from '../support/paging-tollgate.ts';
import { runCommand } from '../support/run-command.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

const saidOf = ({ bodies }: HookServer): string => JSON.stringify(bodies);

test('credits run out, a page with price and rule leaves, and a restart pages nobody again', async (t) => {
  await using folder = await temporaryFolder();
  await using hook = await HookServer.open();
  const rules = join(folder.path, 'rules.yaml');
  await writeFile(rules, CREDITS_RULE);
  const list = (url: string) =>
    runCommand(
      (io) => alertsCommand(io),
      ['alerts', '-p', 'etl', '--state', 'firing', '--url', url],
    );
  {
    await using tollgate = await RunningTollgate.start(folder.path, pagingConfig(rules, hook));
    assert.match((await list(tollgate.url)).out, /no such alerts/);
    await useCredits(tollgate, 'etl');
    const firing = async () => (await list(tollgate.url)).out;
    assert.match(
      await tollgate.until(firing, (out) => out.includes('CreditsUsed')),
      /firing +critical +etl +CreditsUsed +etl has used/,
    );
    const fired = Date.now();
    await tollgate.until(
      async () => hook.requests.length,
      (count) => count > 0,
    );
    t.diagnostic(`a page arrived ${Date.now() - fired} ms after the alert was seen to fire`);
    assert.match(saidOf(hook), /CreditsUsed.*etl has used \d/);
    await tollgate.stop();
  }
  const before = hook.requests.length;
  await using again = await RunningTollgate.start(folder.path, pagingConfig(rules, hook));
  const turns = async () => (await (await fetch(`${again.url}/metrics`)).text()).split('\n');
  const evaluated = (lines: readonly string[]): boolean =>
    lines.some((line) => /^tollgate_alert_evaluations_total\{.*ok.*\} [3-9]/.test(line));
  await again.until(turns, evaluated);
  assert.match((await list(again.url)).out, /CreditsUsed/, 'it still fires');
  assert.equal(hook.requests.length, before, 'nobody is told again');
});

test('a rule that is mended while Tollgate runs counts, and a bad one is named and stops no other', async () => {
  await using folder = await temporaryFolder();
  await using hook = await HookServer.open();
  const rules = join(folder.path, 'rules.yaml');
  await writeFile(rules, `${CREDITS_RULE}  - alert: Broken\n    severity: urgent\n`);
  await using tollgate = await RunningTollgate.start(folder.path, pagingConfig(rules, hook));
  await useCredits(tollgate, 'etl');
  await tollgate.until(
    async () => saidOf(hook),
    (said) => said.includes('CreditsUsed'),
  );
  await tollgate.until(
    async () => tollgate.errors,
    (text) => /Broken|severity/.test(text),
  );
  await writeFile(rules, CREDITS_RULE.replace('above: 100', 'above: 1000000000'));
  const firing = async () =>
    (
      await runCommand(
        (io) => alertsCommand(io),
        ['alerts', '--state', 'firing', '--url', tollgate.url],
      )
    ).out;
  await tollgate.until(firing, (out) => out.includes('no such alerts'));
});
