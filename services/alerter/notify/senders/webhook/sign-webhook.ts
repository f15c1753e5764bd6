import { createHmac } from 'node:crypto';
import type { Instant } from '../../../../../shared/values/instant.ts';

/** `whsec_…` holds base64, as the libraries of Standard Webhooks write secrets; else it is text. */
function keyOf(secret: string): Buffer {
  const [, encoded] = /^whsec_(.+)$/.exec(secret) ?? [];
  return encoded === undefined ? Buffer.from(secret, 'utf8') : Buffer.from(encoded, 'base64');
}

/**
 * Headers by which a receiver knows who sent a body, and that it isn't an old one: HMAC-SHA256 over
 * id, time and body. Receivers refuse a time more than 5 minutes from their own, and an id that they
 * have seen. Source: standardwebhooks.com, specification 1.0.
 *
 * @param at of this attempt
 */
export function signWebhook(
  body: string,
  { id, at, secret }: { readonly id: string; readonly at: Instant; readonly secret: string },
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000));
  const mac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${mac.digest('base64')}`,
  };
}
