import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { formatInstant, type Instant, isInstant } from '../../../shared/values/instant.ts';
import type { ExemptTag } from './plan/plan-input.ts';

/** The tag (or `spark.tollgate.tag.` of it) that exempts an application. */
export const EXEMPT_TAG = 'tollgate.exempt';

/** What is exempted: the name of a workload in a project, until then. */
export interface ExemptedWork {
  readonly project: string;
  readonly workload: string;
  readonly until: Instant;
}

const FORM = /^v1\.(\d{1,12})\.([\w-]{43})$/;

function sign({ project, workload, until }: ExemptedWork, secret: string): string {
  const said = canonicalJson(['tollgate exempt', 1, project, workload, until]);
  return createHmac('sha256', secret).update(said).digest('base64url');
}

/** The tag's value: `v1.<seconds since 1970>.<signature>`. It is worth nothing on other work. */
export function signExemption(work: ExemptedWork, secret: string): string {
  const seconds = Math.floor(work.until / 1_000);
  return `v1.${seconds}.${sign({ ...work, until: seconds * 1_000 }, secret)}`;
}

/**
 * What the tag of an application is worth. What isn't signed for exactly this work is ignored, and
 * told.
 *
 * @param options.longestMs an end further away than that was signed by mistake
 */
export function readExemptTag(
  tags: Readonly<Record<string, string>>,
  work: { readonly project: string | undefined; readonly workload: string },
  options: { readonly secret: string; readonly now: Instant; readonly longestMs: number },
): ExemptTag {
  const text = tags[EXEMPT_TAG];
  if (text === undefined) return { state: 'none' };
  const ignored = (why: string): ExemptTag => ({ state: 'ignored', why });
  const [, seconds, mac] = FORM.exec(text) ?? [];
  if (seconds === undefined || mac === undefined) return ignored('it is not signed');
  if (work.project === undefined) return ignored('its application has no project');
  const until = Number(seconds) * 1_000;
  const { workload, project } = work;
  const wanted = Buffer.from(sign({ project, workload, until }, options.secret));
  const given = Buffer.from(mac);
  if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) {
    return ignored('its signature is of other work, or of another Tollgate');
  }
  if (!isInstant(until)) return ignored('its end is no time');
  if (until <= options.now) return ignored(`it ended ${formatInstant(until)}`);
  if (until - options.now > options.longestMs) return ignored('its end is too far away');
  return { state: 'signed', until };
}
