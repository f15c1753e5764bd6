import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, AnsweringServer } from '../../../test/support/answering-server.ts';
import { freePort } from '../../../test/support/running-tollgate.ts';
import { checkElastic } from './check-elastic.ts';
import { elasticConfig } from './config.ts';
import { TEMPLATE_VERSION } from './log-template.ts';
import { openElasticClient } from './open-elastic-client.ts';

function says(body: unknown, status = 200): Answer {
  const headers = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' };
  return { text: JSON.stringify(body), status, headers };
}

const GOOD: Record<string, Answer> = {
  '/_cluster/health': says({ status: 'green' }),
  '/_nodes': says({ nodes: { a: { version: '8.19.16' }, b: { version: '9.4.3' } } }),
  '/_index_template/tollgate-logs': says({
    index_templates: [{ index_template: { version: TEMPLATE_VERSION } }],
  }),
};
const SECRET = 'very-secret';

async function check(answers: Record<string, Answer>, over: object = {}): Promise<void> {
  await using server = await AnsweringServer.open();
  server.set({ ...GOOD, ...answers });
  const config = elasticConfig.parse({ url: server.url, requestTimeoutMs: 1_000, ...over });
  const client = openElasticClient(config);
  try {
    await checkElastic(client, config);
  } finally {
    await client.close();
  }
}

async function refusal(answers: Record<string, Answer>, over: object = {}): Promise<string> {
  try {
    await check(answers, over);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    assert.ok(!message.includes(SECRET), message);
    return `${code}: ${message}`;
  }
  return 'no refusal';
}

const USER = { username: 'eve', password: SECRET };
const PRIVILEGES = '/_security/user/_has_privileges';

test('a server with the template is good, security or not', async () => {
  await check({});
  await check({ [PRIVILEGES]: says({ has_all_requested: true }) }, USER);
});

for (const [what, answers, over, said] of [
  [
    'a wrong password',
    { '/_cluster/health': says({ error: { type: 'security_exception' } }, 401) },
    USER,
    /^STORE_MISCONFIGURED: .*does not accept user eve; correct the password/,
  ],
  [
    'a wrong key',
    { '/_cluster/health': says({}, 401) },
    { apiKey: SECRET },
    /^STORE_MISCONFIGURED: .*does not accept the API key/,
  ],
  [
    'no sign-in where one is needed',
    { '/_cluster/health': says({}, 401) },
    {},
    /^STORE_MISCONFIGURED: .*asks for a sign-in: configure apiKey/,
  ],
  [
    'no right to look',
    { '/_cluster/health': says({}, 403) },
    USER,
    /^STORE_MISCONFIGURED: .*grant the cluster privilege monitor/,
  ],
  [
    'rights that are missing on the indices',
    {
      [PRIVILEGES]: says({
        has_all_requested: false,
        index: { 'tollgate-logs-*': { create_doc: false, auto_configure: false, read: true } },
      }),
    },
    USER,
    /^STORE_MISCONFIGURED: .*user eve no right to create_doc, auto_configure on tollgate-logs-\*; grant/,
  ],
  [
    'no template',
    { '/_index_template/tollgate-logs': says({}, 404) },
    {},
    /^STORE_MISCONFIGURED: .*no index template tollgate-logs; run "tollgate stores init"/,
  ],
  [
    'an old template',
    { '/_index_template/tollgate-logs': says({ index_templates: [{ index_template: {} }] }) },
    {},
    /^STORE_MISCONFIGURED: .*in version 0, .* is needed; run "tollgate stores init"/,
  ],
  [
    'an old server',
    { '/_nodes': says({ nodes: { a: { version: '7.17.9' } } }) },
    {},
    /^STORE_MISCONFIGURED: .*is version 7\.17\.9; 8\.x and 9\.x are supported/,
  ],
  [
    'another web server',
    { '/_cluster/health': { text: '<html>' } },
    {},
    /^STORE_MISCONFIGURED: .*is no Elasticsearch; correct the url/,
  ],
  [
    'a cluster without a master',
    { '/_cluster/health': says({ error: { reason: 'no master' } }, 503) },
    {},
    /^STORE_UNAVAILABLE: .*not ready \(503: no master\); try again/,
  ],
  [
    'a server that never answers',
    { '/_cluster/health': { never: true } },
    {},
    /^STORE_UNAVAILABLE: /,
  ],
] as const) {
  test(`the check tells of ${what}`, async () => {
    assert.match(await refusal(answers, over), said);
  });
}

test('the check tells of an address where nobody listens, and asks about https', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const message = await refusal({}, { url });
  assert.match(message, /^STORE_UNAVAILABLE: .*ECONNREFUSED/);
  assert.ok(message.includes(url));
  await using plain = await AnsweringServer.open();
  const tls = plain.url.replace('http:', 'https:');
  assert.match(await refusal({}, { url: tls }), /^STORE_UNAVAILABLE: .*is it http or https\?/);
});

test('a file of an authority that is not there is told before anything is sent', async () => {
  assert.match(
    await refusal({}, { caFile: '/no/such.pem' }),
    /^STORE_MISCONFIGURED: .*\/no\/such\.pem/,
  );
});

test('credentials have one place each in the configuration, and none in the URL', () => {
  const url = 'http://127.0.0.1:9200';
  for (const wrong of [
    { url: `http://eve:${SECRET}@127.0.0.1:9200` },
    { url: 'ftp://127.0.0.1' },
    { url, username: 'eve' },
    { url, username: 'eve', password: SECRET, apiKey: SECRET },
    { url, indexPrefix: 'a*' },
  ]) {
    const { success, error } = elasticConfig.safeParse(wrong);
    assert.ok(!success);
    assert.ok(!JSON.stringify(error.issues).includes(SECRET));
  }
});
