import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SteadyTime } from './steady-time.ts';

test('steady time goes on by what passed between two rounds of one holder', () => {
  const steady = new SteadyTime();
  assert.equal(steady.at(500, 1n, 10), 500, 'the first round of a process adds nothing');
  steady.kept(500, 1n, 10);
  assert.equal(steady.at(500, 1n, 70.9), 560);
  steady.kept(560, 1n, 70.9);
  assert.equal(steady.at(560, 2n, 99), 560, 'another lease');
  assert.equal(steady.at(600, 1n, 99), 600, 'another holder wrote in between');
  steady.lost();
  assert.equal(steady.at(560, 1n, 99), 560);
});

test('whoever holds the lease, restarts or fails to write, steady time never outruns real time', () => {
  const step = fc.record({
    process: fc.nat(2),
    passes: fc.integer({ min: 0, max: 100 }),
    restarts: fc.boolean(),
    fate: fc.constantFrom('kept', 'lost', 'kept, unheard'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let [real, stored, holder, token] = [0, 0, -1, 0n];
      const processes = [0, 1, 2].map(() => ({ steady: new SteadyTime(), began: 0 }));
      for (const { process: index, passes, restarts, fate } of steps) {
        real += passes;
        if (restarts) processes[index] = { steady: new SteadyTime(), began: real };
        if (holder !== index) [holder, token] = [index, token + 1n];
        const { steady, began } = processes[index] ?? { steady: new SteadyTime(), began: 0 };
        const now = steady.at(stored, token, real - began);
        assert.ok(now >= stored && now <= real, `${now} after ${real}`);
        if (fate !== 'lost') stored = now;
        if (fate === 'kept') steady.kept(now, token, real - began);
        else steady.lost();
      }
    }),
    { verbose: 1 },
  );
});
