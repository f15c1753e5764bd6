import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeenApplication } from '../../../shared/clusters/cluster-reader.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { pendingByProject } from './pending-by-project.ts';

const attribute = ({ user }: SeenApplication) => ({ project: user as ProjectId });

function waits(user: string, millicores: number): SeenApplication {
  return {
    application: `app-${user}`,
    attempt: '',
    name: '',
    user,
    queue: '',
    tags: {},
    url: '',
    state: 'waiting',
    startedAt: undefined,
    endedAt: undefined,
    endedAttempts: new Map(),
    pending: { millicores, memoryMib: 0, gpus: 0 },
  };
}

test('of many projects those are named that wait for most, in the order of their names', () => {
  const many = Array.from({ length: 200 }, (_, i) =>
    waits(`p${String(i).padStart(3, '0')}`, i + 1),
  );
  const named = pendingByProject(many, attribute);
  assert.equal(named.length, 50);
  assert.equal(named[0]?.project, 'p150');
  assert.equal(named.at(-1)?.project, 'p199');
});

test('demand that no cluster can have is not passed on', () => {
  assert.deepEqual(pendingByProject([waits('etl', 1e15), waits('ads', -1)], attribute), []);
  // The sum of a project's is what must be believable.
  const twice = [waits('etl', 900_000_000), waits('etl', 900_000_000)];
  assert.deepEqual(pendingByProject(twice, attribute), []);
});
