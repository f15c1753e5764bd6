import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExtendLinks } from '../../../shared/tokens/extend-link.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { NOW } from '../../../test/support/enforcement-builders.ts';
import { EXEMPT_TAG, readExemptTag, signExemption } from './signed-exemption.ts';

const secret = 'a secret of Tollgate';
const work = { project: 'etl', workload: 'orders', until: NOW + HOUR_MS };
const read = (value: string, more: object = {}, now = NOW) =>
  readExemptTag(
    { [EXEMPT_TAG]: value },
    { project: 'etl', workload: 'orders', ...more },
    { secret, now, longestMs: 24 * HOUR_MS },
  );

test('a signed exemption counts for its own work until its end', () => {
  const tag = signExemption(work, secret);
  assert.match(tag, /^v1\.\d+\.[\w-]{43}$/);
  assert.deepEqual(read(tag), { state: 'signed', until: work.until });
  assert.deepEqual(read(tag, {}, work.until - 1), { state: 'signed', until: work.until });
  assert.equal(read(tag, {}, work.until).state, 'ignored');
});

test('an exemption of other work, another secret, or none, is ignored and told', () => {
  const tag = signExemption(work, secret);
  const why = (reading: ReturnType<typeof read>) =>
    reading.state === 'ignored' ? reading.why : reading.state;
  assert.match(why(read(tag, { project: 'ml' })), /of other work/);
  assert.match(why(read(tag, { workload: 'orders2' })), /of other work/);
  assert.match(why(read(tag, { project: undefined })), /no project/);
  assert.match(why(read(signExemption(work, 'another'))), /another Tollgate/);
  assert.match(why(read(tag.replace(/^v1\.\d/, 'v1.9'))), /of other work/);
  assert.match(why(read(signExemption({ ...work, until: NOW + 99 * HOUR_MS }, secret))), /too far/);
  for (const text of ['', 'true', 'v1..', `${tag} `, 'v1.1.<script>']) {
    assert.match(why(read(text)), /not signed/, text);
  }
  const none = readExemptTag({}, work, { secret, now: NOW, longestMs: 1 });
  assert.deepEqual(none, { state: 'none' });
});

test('a link that puts an action off says which, and only Tollgate can make one', () => {
  const links = new ExtendLinks({ secret, baseUrl: 'https://tollgate.example/' });
  const action = { id: `act-${'0'.repeat(32)}`, extensions: 1 };
  const token = links.token(action);
  assert.equal(links.url(action), `https://tollgate.example/enforcement/extend/${token}`);
  assert.deepEqual(links.read(token), { action: action.id, extensions: 1 });
  assert.equal(links.read(token.replace('.1.', '.2.')), undefined);
  assert.equal(links.read(token.replace('act-0', 'act-1')), undefined);
  assert.equal(new ExtendLinks({ secret: 'b', baseUrl: '' }).read(token), undefined);
  for (const text of ['', 'x', `${token}x`, `/${token}`]) assert.equal(links.read(text), undefined);
});
