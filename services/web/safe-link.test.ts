import assert from 'node:assert/strict';
import test from 'node:test';
import { safeLink } from './safe-link.js';

const BASE = 'http://127.0.0.1:8470/?project=etl';

test('addresses of the web become links, escaped', () => {
  assert.equal(
    safeLink('https://history.example/a b?x="><', BASE),
    'https://history.example/a%20b?x=%22%3E%3C',
  );
  assert.equal(safeLink('/proxy/app_1', BASE), 'http://127.0.0.1:8470/proxy/app_1');
});

test('scripts, data, files and nonsense never become a link', () => {
  const refused = [
    null,
    undefined,
    '',
    'javascript:alert(1)',
    ' JaVaScRiPt:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,<script>1</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:http://127.0.0.1/1',
    'http://[broken',
  ];
  for (const address of refused) assert.equal(safeLink(address, BASE), undefined, String(address));
});
