import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moduleFiles } from '../../services/all-in-one/module-files.ts';
import { runningApi } from '../support/running-api.ts';
import { keepPicture, PHONE, sidewaysScroll } from './support/look-at-console.ts';
import { launchChromium, openConsole } from './support/open-console.ts';

const GRANT = { amount: 9_000_000_000n, reason: '', grantedAt: 0 };

async function guarded() {
  const api = await runningApi({ requireToken: true, parts: { moduleFiles: moduleFiles() } });
  for (const project of ['etl', 'ml'] as never[]) {
    await api.stores.grants.grant({ ...GRANT, id: `g-${project}`, project });
  }
  return api;
}

test('a token is asked for once, kept from scripts, and forgotten when signing out', async () => {
  await using api = await guarded();
  const token = await api.token(['read'], { label: 'wall screen', projects: ['etl'] });
  await using browser = await launchChromium();
  await using opened = await openConsole(browser, `${api.url}/?project=etl`);
  const { page, errors, outside } = opened;
  const field = page.getByLabel('API token');
  await field.waitFor();
  await keepPicture(page, 'sign-in');
  await field.fill('tg_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('not valid').waitFor();
  await field.fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.projects tbody tr').first().waitFor();
  assert.equal(
    await page.locator('.projects tbody tr').count(),
    1,
    'the other project is not seen',
  );
  await keepPicture(page, 'signed-in');

  const secret = token.slice(20);
  const reachable = 'document.cookie + JSON.stringify([{...localStorage}, {...sessionStorage}])';
  assert.ok(!(await page.evaluate<string>(reachable)).includes(secret));
  assert.ok(!page.url().includes(secret));
  await page.reload();
  await page.locator('.projects tbody tr').first().waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API token').waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  assert.deepEqual([errors, outside], [[], []]);
});

test('the one-time link does nothing until its button is pressed, and then works once', async () => {
  await using api = await guarded();
  const address = `${api.url}/#admin-link=${api.doors.adminLink}`;
  await using browser = await launchChromium();
  {
    await using opened = await openConsole(browser, address, PHONE);
    const { page, errors } = opened;
    const button = page.getByRole('button', { name: 'Sign in as administrator' });
    await button.waitFor();
    assert.ok(!page.url().includes('admin-link'), 'the secret stays in no history');
    assert.deepEqual(await page.context().cookies(), [], 'opening it did nothing');
    assert.equal(await sidewaysScroll(page), 0);
    await keepPicture(page, 'sign-in-link');
    await button.click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    assert.equal(await sidewaysScroll(page), 0);
    assert.deepEqual(errors, []);
  }
  await using again = await openConsole(browser, address);
  await again.page.getByRole('button', { name: 'Sign in as administrator' }).click();
  await again.page.getByRole('alert').getByText('start Tollgate again').waitFor();
  await again.page.getByRole('button', { name: 'I have a token' }).click();
  await again.page.getByLabel('API token').waitFor();
});
