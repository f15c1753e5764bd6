import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { anyText } from '../../test/support/any-text.ts';
import { T0 } from '../../test/support/fact-builders.ts';
import { ETL } from '../../test/support/ledger-builders.ts';
import { applicationLinks, managerHome } from './application-links.ts';

const RUNNING = {
  application: 'application_1_0002',
  project: ETL,
  cluster: 'yarn-1',
  attempts: ['1', '2'],
  user: 'alice',
  start: T0,
  end: undefined,
  state: 'running' as const,
  url: 'http://driver:4040/',
};
const LINKS = {
  sparkUi: 'http://rm:8088/proxy/{application}/',
  historyServer: 'https://history/{application}/{attempt}/',
  manager: 'http://rm:8088/cluster/app/{application}',
  logs: 'http://kibana/?q={application}&from={from}&to={until}&user={user}',
};
const CLUSTER = { id: 'yarn-1', type: 'standalone', pool: 'cpu', links: LINKS };
const NOW = T0 + HOUR_MS;

test('a running application links to its Spark UI, an ended one to the History Server', () => {
  const running = applicationLinks(RUNNING, CLUSTER, NOW);
  assert.equal(running.sparkUi, 'http://rm:8088/proxy/application_1_0002/');
  assert.equal(running.manager, 'http://rm:8088/cluster/app/application_1_0002');
  const ended = { ...RUNNING, state: 'ended' as const, end: T0 + 1 };
  assert.equal(
    applicationLinks(ended, CLUSTER, NOW).sparkUi,
    'https://history/application_1_0002/2/',
  );
});

test('logs are linked in the minute up to now, or to the end', () => {
  const { logs } = applicationLinks(RUNNING, CLUSTER, NOW);
  assert.match(logs ?? '', /from=2026-11-21T09%3A59%3A00\.000Z&to=2026-11-21T10%3A00%3A00\.000Z/);
  const short = { ...RUNNING, state: 'ended' as const, end: T0 + 5_000 };
  const ended = applicationLinks(short, CLUSTER, NOW).logs ?? '';
  assert.match(ended, /from=2026-11-21T09%3A00%3A00\.000Z&to=2026-11-21T09%3A00%3A05\.000Z/);
});

test('without a template the address that the application told is used, while it answers', () => {
  const plain = { ...CLUSTER, links: {} };
  assert.equal(applicationLinks(RUNNING, plain, NOW).sparkUi, 'http://driver:4040/');
  const ended = { ...RUNNING, state: 'ended' as const, end: NOW };
  assert.equal(applicationLinks(ended, plain, NOW).sparkUi, null);
  const onYarn = { ...plain, type: 'yarn' };
  assert.equal(applicationLinks(ended, onYarn, NOW).sparkUi, 'http://driver:4040/');
  assert.equal(applicationLinks(RUNNING, undefined, NOW).manager, null);
});

test('what a tenant says becomes no other link than a web address in its own place', () => {
  for (const url of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'x y']) {
    const links = applicationLinks({ ...RUNNING, url }, { ...CLUSTER, links: {} }, NOW);
    assert.equal(links.sparkUi, null);
  }
  const hostile = { ...RUNNING, application: '../../x?y=#z', user: 'a&admin=1' };
  const { manager, logs } = applicationLinks(hostile, CLUSTER, NOW);
  assert.equal(manager, 'http://rm:8088/cluster/app/..%2F..%2Fx%3Fy%3D%23z');
  assert.match(logs ?? '', /user=a%26admin%3D1$/);
  const script = { ...CLUSTER, links: { sparkUi: 'javascript:alert("{application}")' } };
  assert.equal(applicationLinks({ ...RUNNING, url: '' }, script, NOW).sparkUi, null);
});

const webUrl = fc
  .tuple(fc.webAuthority(), anyText())
  .map(([authority, rest]) => `https://${authority}/${rest}`);

test('whatever names and addresses say, a link is absent or of the web, on the host configured', () => {
  fc.assert(
    fc.property(anyText(), fc.string(), webUrl, (name, user, url) => {
      const strange = { ...RUNNING, application: `${name}\ud800`, user, url: `${name}${url}` };
      const links = applicationLinks(strange, CLUSTER, NOW);
      assert.equal(new URL(links.sparkUi ?? '').host, 'rm:8088');
      assert.equal(new URL(links.logs ?? '').host, 'kibana');
      const own = applicationLinks(strange, undefined, NOW).sparkUi;
      assert.ok(own === null || /^https?:\/\//.test(own), String(own));
    }),
    { numRuns: 50 },
  );
});

test('a cluster leads to where its manager shows itself', () => {
  const home = (manager: string) => managerHome({ links: { manager } });
  assert.equal(managerHome(CLUSTER), 'http://rm:8088/');
  assert.equal(home('http://gate/yarn/ui'), 'http://gate/yarn/ui');
  assert.equal(home('javascript:alert(1)'), null);
  assert.equal(managerHome({ links: {} }), null);
});
