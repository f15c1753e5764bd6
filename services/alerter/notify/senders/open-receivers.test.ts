import assert from 'node:assert/strict';
import test from 'node:test';
import { readConfig } from '../../../../shared/config/read-config.ts';
import { systemClock } from '../../../../shared/runtime/clock.ts';
import { HookServer } from '../../../../test/support/hook-server.ts';
import { sendersConfig } from './config.ts';
import { DialGuard } from './dial-guard.ts';
import { openReceivers } from './open-receivers.ts';
import { sendTest } from './send-test.ts';

const { signal } = new AbortController();

function read(text: string, env: Record<string, string> = {}) {
  const readFile = (path: string): string => (path === '/run/key' ? 'from-a-file\n' : '');
  return readConfig(sendersConfig, { text, env, readFile });
}

function open(text: string, env: Record<string, string> = {}) {
  const { config, problems } = read(text, env);
  assert.deepEqual(problems, []);
  assert.ok(config);
  const guard = new DialGuard(config.dial.allow);
  return openReceivers({ config, guard, clock: systemClock, readFile: () => '' });
}

test('nothing configured is a valid configuration', () => {
  assert.deepEqual(read('{}').config?.receivers, []);
});

test('a test reaches every destination of a receiver, and tells what each said', async () => {
  await using server = await HookServer.open();
  server.answer = ({ path }) => {
    if (path.startsWith('/api/')) return { text: '{"ok":true,"channel":"C1","ts":"1.1"}' };
    return path === '/broken' ? { status: 500, text: 'oh no' } : {};
  };
  const root = server.url.origin;
  const receivers = open(
    `
dial: { allow: [127.0.0.0/8] }
slack: { token: '\${SLACK}', apiUrl: ${root}/api/ }
receivers:
  - name: everybody
    slack: [{ channel: '#alerts' }]
    slackWebhooks: [{ url: ${root}/services/T/B/x }]
    webhooks:
      - { url: ${root}/own, signingSecret: '\${SIGNING}', headers: { Authorization: 'Bearer \${KEY}' } }
      - { url: ${root}/am, body: alertmanager }
      - { url: ${root}/broken }
    pagerduty: [{ routingKey: R0, url: ${root}/pd }]
    opsgenie: [{ apiKey: O0, url: ${root}/v2/alerts }]
`,
    { SLACK: 'xoxb-1', SIGNING: 'a-long-signing-secret', KEY_FILE: '/run/key' },
  );
  const receiver = receivers.get('everybody');
  assert.ok(receiver);
  const results = await sendTest(receiver, { id: 'test-1', now: 1_763_715_600_000 }, signal);
  assert.deepEqual(
    results.map(({ destination, result }) => [
      destination.replace(/127\.0\.0\.1:\d+#[0-9a-f]{8}/, 'HOST#MARK'),
      result.outcome,
    ]),
    [
      ['slack:#alerts', 'delivered'],
      ['slack-webhook:HOST#MARK', 'delivered'],
      ['webhook:HOST#MARK', 'delivered'],
      ['alertmanager-webhook:HOST#MARK', 'delivered'],
      ['webhook:HOST#MARK', 'later'],
      ['pagerduty:HOST#MARK', 'delivered'],
      ['opsgenie:HOST#MARK', 'delivered'],
    ],
  );
  assert.equal(new Set(results.map(({ destination }) => destination)).size, 7);
  const byPath = new Map(server.requests.map((request) => [request.path, request]));
  assert.equal(byPath.get('/own')?.headers['authorization'], 'Bearer from-a-file');
  assert.match(String(byPath.get('/own')?.headers['webhook-signature']), /^v1,/);
  assert.equal(byPath.get('/am')?.headers['webhook-signature'], undefined);
  assert.equal(byPath.get('/v2/alerts')?.headers['authorization'], 'GenieKey O0');
  assert.doesNotMatch(JSON.stringify(results), /xoxb|signing|from-a-file|R0|O0/);
});

test('a private address is refused when the configuration is read, and when a test is sent', async () => {
  const { problems } = read(`
receivers:
  - name: inside
    webhooks: [{ url: 'http://2130706433/hook' }, { url: 'http://[::ffff:10.0.0.1]/' }]
alertmanagers: [{ url: 'http://169.254.169.254/' }]
watchdog: { url: 'file:///etc/passwd' }
`);
  assert.deepEqual(
    problems.map(({ path, line }) => [path, line]),
    [
      ['receivers[0].webhooks[0].url', 4],
      ['receivers[0].webhooks[1].url', 4],
      ['alertmanagers[0].url', 5],
      ['watchdog.url', 6],
    ],
  );
  assert.match(problems[0]?.message ?? '', /127\.0\.0\.1, which is no public address; allow/);
  await using server = await HookServer.open();
  const receiver = open(`
receivers:
  - name: by-name
    webhooks: [{ url: 'http://localhost:${server.port}/hook' }]
`).get('by-name');
  assert.ok(receiver);
  const [result] = await sendTest(receiver, { id: 't', now: 0 }, signal);
  assert.match(JSON.stringify(result), /localhost leads to .*no public address/);
  assert.equal(server.requests.length, 0);
});

test('all problems are told at once, with their place and without a value', () => {
  const { problems } = read(
    `
dial: { allow: [10.0.0.0] }
receivers:
  - name: a
    mail: ['ops@example.org, victim@example.org', "x@y\\r\\nRCPT TO:<z@w>"]
    webhooks: [{ url: no-url, signingSecret: short, headers: { 'X-A': "b\\r\\nEvil: 1" } }]
    slak: []
`,
  );
  assert.deepEqual(
    problems.map(({ path }) => path),
    [
      'dial.allow[0]',
      'receivers[0].mail',
      'receivers[0].mail[0]',
      'receivers[0].mail[1]',
      'receivers[0].webhooks[0].url',
      'receivers[0].webhooks[0].signingSecret',
      'receivers[0].webhooks[0].headers.X-A',
      'receivers[0].slak',
    ],
  );
  assert.doesNotMatch(JSON.stringify(problems), /victim|Evil/);
});

test('options that contradict each other are told all at once', () => {
  const { problems } = read(
    `
mail: { host: mail.example.org, security: none, user: u, password: '\${PASSWORD}' }
receivers:
  - { name: a, slack: [{ channel: '#x' }], digestMs: 60000 }
  - { name: a, mail: [x@example.org] }
`,
    { PASSWORD: 'hunter2' },
  );
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['mail.security', 'receivers[0].slack[0]', 'receivers[0].digestMs', 'receivers[1].name'],
  );
  const [without] = read('receivers: [{ name: a, mail: [x@example.org] }]').problems;
  assert.match(without?.message ?? '', /set alerter\.notify\.mail\.host/);
});
