import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { shadowProjects } from '../../../shared/rating/shadow-mode.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
} from '../../../test/support/api-samples.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { balanceCommand } from './balance-command.ts';
import { quotasCommand } from './quotas-command.ts';

async function asked() {
  const shadow = [{ id: 'team-a', shadow: true }];
  const isShadow = shadowProjects({ shadow: false, projects: shadow });
  const api = await runningApi({ deps: { isShadow } });
  const quantity = { containerMs: 1n, millicoreMs: 9_500n * 3_600_000n, mibMs: 0n, gpuMs: 0n };
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer()],
      charges: [aCharge({ quantity })],
    }),
  );
  await api.post('/v1/projects/idle/grants', { id: 'g', credits: '1', reason: '' });
  return {
    api,
    suggest: (...args: string[]) =>
      runCommand(quotasCommand, ['quotas', 'suggest', ...args, '--url', api.url]),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

test('suggestions are a table of every project, and say how much they rest on', async () => {
  await using tollgate = await asked();
  const { out, err, exitCode } = await tollgate.suggest('--headroom', '0');
  assert.equal(exitCode, 0, err);
  assert.match(out, /^PROJECT +CHARGED +GROWTH +BUDGET\/MONTH +CORES +RESERVE\/H +FROM$/m);
  assert.match(out, /^team-a +5 +1\.00 +3700 +10 +5 +1 hours, scaled up$/m);
  assert.match(out, /^idle +0 .*no use$/m);
});

test('as YAML they can be pasted into tollgate.yaml: grants of the next month, and limits', async () => {
  await using tollgate = await asked();
  const { out } = await tollgate.suggest('--yaml', '--headroom', '0');
  assert.deepEqual(parse(out), {
    metering: {
      projects: [
        {
          id: 'team-a',
          limits: { cores: 10 },
          grants: [{ id: 'team-a/2026-12', credits: '3700', reason: 'suggested monthly budget' }],
        },
      ],
    },
  });
  const none = await tollgate.suggest('idle', '--yaml');
  assert.equal(none.out, '# no project used anything\n');
  const json = await tollgate.suggest('team-a', '--json');
  assert.equal(JSON.parse(json.out).suggestions[0].monthlyBudget, '4400');
  assert.equal((await tollgate.suggest('--yaml', '--json')).exitCode, 2);
});

test('the balance of a project in shadow mode tells what it would have been charged', async () => {
  await using tollgate = await asked();
  const { out } = await runCommand(balanceCommand, ['balance', '--url', tollgate.api.url]);
  assert.match(out, /^team-a .* shadow mode$/m);
  assert.match(
    out,
    /^team-a would have been charged 5 credits; in shadow mode nothing is refused$/m,
  );
  assert.doesNotMatch(out, /^idle would/m);
});
