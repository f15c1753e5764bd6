import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AppError } from '../../../shared/errors/app-error.ts';
import { CODES, type ErrorCode } from '../../../shared/errors/codes.ts';
import { toProblem } from './problem.ts';

test('the table of the README and the table of the code are the same', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` +\| (\d+) +\|/gm)];
  assert.deepEqual(
    rows.map(([, code, status]) => `${code} ${status}`).sort(),
    Object.entries(CODES)
      .map(([code, { status }]) => `${code} ${status}`)
      .sort(),
  );
});

test('every error of the world becomes a problem with its own code and status', () => {
  for (const code of Object.keys(CODES) as ErrorCode[]) {
    const problem = toProblem(new AppError(code, 'what happened'));
    assert.equal(problem.code, code);
    assert.equal(problem.status, CODES[code].status);
  }
  assert.equal(toProblem(new AppError('CONFLICT', 'what happened')).detail, 'what happened');
});

test('what nobody foresaw, and what names inner things, keeps its words to the log', () => {
  for (const error of [new TypeError('x of undefined'), 'text', undefined, { message: 'x' }]) {
    const problem = toProblem(error);
    assert.equal(problem.code, 'INTERNAL');
    assert.doesNotMatch(JSON.stringify(problem), /undefined|text|"x"/);
  }
  const inner = toProblem(new AppError('INPUT_UNREADABLE', '/data/secret.log cannot be read'));
  assert.doesNotMatch(inner.detail, /secret/);
});

test('details that are no list of problems stay inside', () => {
  const error = new AppError('BAD_REQUEST', 'x', { details: { errors: 'text', token: 'abc' } });
  assert.doesNotMatch(JSON.stringify(toProblem(error)), /abc|text/);
});
