import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meteringConfig } from './config.ts';
import { configuredGrants } from './configured-grants.ts';

const NOW = Date.UTC(2026, 10, 21, 9);

function issues(projects: readonly object[]): string[] {
  const { error } = meteringConfig.safeParse({ projects });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);
}

test('a configured grant has the terms that it says, and none where it says nothing', () => {
  const terms = {
    ...{ priority: 3, validFrom: '2026-11-01T00:00:00Z', expiresAt: '2027-01-01T00:00:00Z' },
    monthly: { minRollover: '1', maxRollover: '2.5' },
  };
  const { projects } = meteringConfig.parse({
    projects: [
      {
        id: 'etl',
        grants: [
          { id: 'plain', credits: '5' },
          { id: 'm', credits: '7', terms },
        ],
      },
    ],
  });
  const [plain, monthly] = configuredGrants(projects, NOW);
  assert.deepEqual(plain, {
    ...{ id: 'plain', project: 'etl', amount: 5_000_000_000n },
    ...{ reason: 'configured', grantedAt: NOW },
  });
  assert.deepEqual(monthly?.terms, {
    priority: 3,
    validFrom: Date.UTC(2026, 10, 1),
    expiresAt: Date.UTC(2027, 0, 1),
    monthly: { min: 1_000_000_000n, max: 2_500_000_000n },
  });
});

test('grants that contradict another or themselves are all named by their place', () => {
  const g = { id: 'g', credits: '5' };
  assert.deepEqual(issues([{ id: 'etl', grants: [g, g] }]), []);
  const validFrom = '2026-11-01T00:00:00Z';
  const found = issues([
    { id: 'etl', grants: [g, { id: 'm', credits: '5', terms: { validFrom, monthly: {} } }] },
    {
      id: 'ml',
      grants: [
        g,
        { id: 'm', credits: '5', terms: { validFrom: '2026-12-01T00:00:00Z', monthly: {} } },
        { id: 'e', credits: '5', terms: { validFrom, expiresAt: '2026-10-01T00:00:00Z' } },
        { id: 'n', credits: '-5', reason: '' },
        { id: 'x', credits: '99999999999' },
      ],
    },
  ]);
  for (const what of [
    /^projects\.1\.grants\.0\.id g is another grant's too/,
    /^projects\.1\.grants\.1\.id m is another grant's too/,
    /^projects\.1\.grants\.2\.expiresAt must be later/,
    /^projects\.1\.grants\.3\.reason must say why/,
    /^projects\.1\.grants\.4\.credits is more than/,
  ]) {
    assert.ok(
      found.some((one) => what.test(one)),
      `${what} of ${found.join('\n')}`,
    );
  }
  assert.equal(found.length, 5);
});
