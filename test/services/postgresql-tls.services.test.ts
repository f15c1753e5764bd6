import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openPostgresPool } from '../../shared/stores/sql/postgres-pool.ts';
import { temporaryFolder } from '../support/running-tollgate.ts';
import { runInstaller } from './servers/install-once.ts';
import { startPostgresql } from './servers/postgresql.ts';
import { unusedSchema } from './support/postgres-schema.ts';

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A certificate of its own authority, for a name or an address. */
async function certify(cwd: string, name: string, subject: string): Promise<void> {
  const subjects = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${subject}`];
  const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
  await runInstaller('openssl', ['req', '-x509', ...CURVE, '-days', '2', ...subjects, ...files], {
    cwd,
  });
}

test('the wire is encrypted, and only to a server whose certificate is trusted', async () => {
  await using folder = await temporaryFolder();
  await certify(folder.path, 'server', 'IP:127.0.0.1');
  await certify(folder.path, 'elsewhere', 'IP:127.0.0.2');
  const text = (name: string) => readFile(join(folder.path, name), 'utf8');
  const files = { 'server.crt': await text('server.crt'), 'server.key': await text('server.key') };
  await using server = await startPostgresql({ settings: { ssl: 'on' }, files });
  assert.ok(
    server.process !== undefined,
    'TOLLGATE_TEST_POSTGRESQL_URL has no test of TLS: unset it',
  );
  const query = async (more: { tls?: boolean; caFile?: string }, url = server.url) => {
    const pool = openPostgresPool(unusedSchema({ url }, more));
    const statement = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
    try {
      const [row] = await pool.read<{ ssl: boolean }>({ name: 'ssl', text: statement }, []);
      return row?.ssl;
    } finally {
      await pool.end();
    }
  };
  const caFile = join(folder.path, 'server.crt');
  assert.equal(await query({ caFile }), true);
  assert.equal(await query({}), false, 'without tls and caFile it is plain');
  const untrusted = { code: 'STORE_MISCONFIGURED', message: /certificate is not trusted/ };
  await assert.rejects(query({ tls: true }), untrusted);
  await assert.rejects(query({ caFile: join(folder.path, 'elsewhere.crt') }), untrusted);
  const byName = server.url.replace('127.0.0.1', 'localhost');
  await assert.rejects(query({ caFile }, byName), untrusted, 'another name than the certificate');
});
