import express, { type Express, type Request, type Response } from 'express';
import type { z } from 'zod';
import { type restSession, restSignIn } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { must } from '../../../shared/errors/assert.ts';
import { DAY_MS, formatInstant } from '../../../shared/values/instant.ts';
import { badRequest, checkPart, type FieldError } from './bad-request.ts';
import type { Caller } from './caller.ts';
import type { Doors } from './doors.ts';

const PATH = '/v1/session';
/** A browser forgets the token after this time, or when it expires. */
const COOKIE_MAX_MS = 7 * DAY_MS;

function toRest(caller: Caller, required: boolean): z.infer<typeof restSession> {
  const { label, scopes, projects, expiresAt } = caller;
  return {
    required,
    label,
    scopes: [...scopes],
    projects: projects === undefined ? null : [...projects],
    expiresAt: expiresAt === undefined ? null : formatInstant(expiresAt),
  };
}

/** Out of reach of scripts, and never sent with a request that another site began. */
export function sessionCookie(doors: Doors, value: string, maxAgeMs: number): string {
  const seconds = Math.max(0, Math.floor(maxAgeMs / 1_000));
  const secure = doors.isSecure ? '; Secure' : '';
  return `${doors.cookie}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

function readBody(request: Request): z.infer<typeof restSignIn> {
  if (request.is('application/json') === false) {
    throw new AppError('UNSUPPORTED_MEDIA', 'send the body as Content-Type: application/json');
  }
  const errors: FieldError[] = [];
  const body = checkPart('body', restSignIn, request.body, errors);
  if (body === undefined) throw badRequest(errors);
  return body;
}

async function signIn(doors: Doors, request: Request): Promise<[string, Caller]> {
  const body = readBody(request);
  const text = 'link' in body ? await doors.redeem(request, body.link) : body.token;
  const caller = await doors.check(request, { from: 'header', text });
  const left = caller.expiresAt === undefined ? COOKIE_MAX_MS : caller.expiresAt - doors.now();
  return [sessionCookie(doors, text, Math.min(left, COOKIE_MAX_MS)), caller];
}

/**
 * `POST` takes a token, or the secret of the one-time link, and keeps it in a cookie for the page;
 * `DELETE` forgets it. Both are open to who isn't signed in; another origin is refused before.
 */
export function mountSignIn(app: Express, doors: Doors): void {
  app.post(PATH, express.json({ limit: '4kb' }), async (request: Request, response: Response) => {
    response.setHeader('Cache-Control', 'no-store');
    const [cookie, caller] = await signIn(doors, request);
    response.setHeader('Set-Cookie', cookie);
    response.json(toRest(caller, doors.mustSignIn));
  });
  app.delete(PATH, (_request, response) => {
    response.setHeader('Set-Cookie', sessionCookie(doors, '', 0));
    response.status(204).end();
  });
}

/** Who is signed in; stands behind the check of tokens. */
export function mountSession(app: Express, doors: Doors): void {
  app.get(PATH, (request, response) => {
    response.setHeader('Cache-Control', 'no-store');
    const caller = must(doors.callerOf(request), 'who comes this far was let in');
    response.json(toRest(caller, doors.mustSignIn));
  });
  app.all(PATH, (_request, response) => {
    response.setHeader('Allow', 'GET, HEAD, POST, DELETE');
    throw new AppError('METHOD_NOT_ALLOWED', `${PATH} takes GET, HEAD, POST, DELETE`);
  });
}
