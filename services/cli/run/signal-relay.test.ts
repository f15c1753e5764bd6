import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signalRelay } from './signal-relay.ts';

test('signals are heard from the first to the last, by whoever listens then, or by nobody', () => {
  let send: ((signal: NodeJS.Signals) => void) | undefined;
  const relay = signalRelay((heard) => {
    send = heard;
    const forget = (): void => {
      send = undefined;
    };
    return { [Symbol.dispose]: forget };
  });
  const said: string[] = [];
  send?.('SIGTERM');
  {
    using _ = relay.onSignal((signal) => said.push(`first ${signal}`));
    send?.('SIGTERM');
  }
  send?.('SIGTERM');
  {
    using _ = relay.onSignal((signal) => said.push(`second ${signal}`));
    send?.('SIGINT');
  }
  assert.ok(send !== undefined, 'it listens to its end');
  relay[Symbol.dispose]();
  assert.equal(send, undefined);
  assert.deepEqual(said, ['first SIGTERM', 'second SIGINT']);
});
