import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepPicture, sidewaysScroll, textOf } from './support/look-at-console.ts';
import { launchChromium, openConsole } from './support/open-console.ts';
import { runDemo } from './support/run-demo.ts';

/** The simulated platform plays its past before there is something of everything. */
const PLAYED_MS = 60_000;

test('the demo fills every part of the page through the real API', async () => {
  await using demo = await runDemo();
  await using browser = await launchChromium();
  await using opened = await openConsole(browser, demo.url);
  const { page, errors, outside } = opened;
  page.setDefaultTimeout(PLAYED_MS);
  await page.getByText('demo data').waitFor();
  await page.locator('.applications tbody tr .links a').first().waitFor();
  await page.locator('.streams .badge').first().waitFor();
  await page.locator('.log').first().waitFor();
  await page
    .getByRole('img', { name: /^Price of pool/ })
    .first()
    .waitFor();
  await page
    .getByRole('img', { name: /^Load of .*cores allocated/ })
    .first()
    .waitFor();
  await page.locator('.projects .meter').first().waitFor();
  await page.locator('.tile-value', { hasText: /\d\.\d\d X/ }).waitFor();

  const link = page.locator('.applications').getByRole('link', { name: 'Logs', exact: true });
  await link.first().click();
  assert.match(page.url(), /application=.*from=.*until=/);
  await page.goto(demo.url);

  await page.getByLabel('Text').fill('task');
  await page.locator('.log mark').first().waitFor();
  assert.equal((await textOf(page.locator('.log mark').first())).toLowerCase(), 'task');
  await page.getByRole('button', { name: 'Group repeats' }).click();
  await page.locator('.groups .log').first().waitFor();
  assert.equal(await page.locator('.problem').count(), 0);
  await keepPicture(page, 'demo');

  await page.setViewportSize({ width: 360, height: 740 });
  assert.equal(await sidewaysScroll(page), 0);
  assert.deepEqual(errors, [], 'no error of a script or of the security policy');
  assert.deepEqual(outside, [], 'nothing is asked outside the server');
});
