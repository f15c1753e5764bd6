import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_RATE_CARD } from '../values/rate-card.ts';
import { NO_LIMITS } from './evaluate-limits.ts';
import { evaluateQuota } from './evaluate-quota.ts';
import { shadowProjects, shadowVerdict } from './shadow-mode.ts';

const verdict = (granted: bigint, known = true) =>
  evaluateQuota({
    project: 'etl',
    account: known
      ? {
          ...{ granted, charged: 5n, accrued: 0n, reserved: 0n, unlimited: false },
          ...{ millicores: 0, reservedMillicores: 0, readings: [] },
        }
      : undefined,
    limits: NO_LIMITS,
    now: 0,
    step: 1_000,
    card: DEFAULT_RATE_CARD,
    planned: undefined,
  });

test('a refusal in shadow mode passes and says what it would have been', () => {
  for (const strict of [verdict(5n), verdict(0n, false)]) {
    const told = shadowVerdict(strict);
    assert.deepEqual([strict.allowed, told.allowed, told.reason], [false, true, 'shadow']);
    assert.match(told.message, /^would have been refused \(shadow mode\): project etl[: ]/);
    assert.equal(told.balance, strict.balance);
  }
  const passed = verdict(6n);
  assert.equal(shadowVerdict(passed), passed);
});

test('shadow mode is of all projects, or of those that are marked', () => {
  const projects = [
    { id: 'etl', shadow: true },
    { id: 'ml', shadow: false },
  ];
  const some = shadowProjects({ shadow: false, projects });
  assert.deepEqual(['etl', 'ml', 'new'].map(some), [true, false, false]);
  const all = shadowProjects({ shadow: true, projects });
  assert.deepEqual(['etl', 'ml', 'new'].map(all), [true, true, true]);
});
