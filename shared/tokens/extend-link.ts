import { createHmac, timingSafeEqual } from 'node:crypto';
import type { EnforcementAction } from '../contracts/action.ts';

/** What a link means: the action as it was when the link was made. */
export interface ExtendToken {
  readonly action: string;
  /** How often it had been extended: the next extension makes the link worthless. */
  readonly extensions: number;
}

const FORM = /^(act-[0-9a-f]{32})\.(\d{1,3})\.([\w-]{43})$/;

/**
 * Links that put an action off, once. What they say is signed; that they are used once, and end with
 * their action, follows from the count of extensions, which the store compares.
 */
export class ExtendLinks {
  readonly #secret: string;
  readonly #baseUrl: string;

  /** @param options.baseUrl of the console, as people reach it */
  constructor(options: { readonly secret: string; readonly baseUrl: string }) {
    this.#secret = options.secret;
    this.#baseUrl = options.baseUrl.replace(/\/+$/, '');
  }

  url(action: Pick<EnforcementAction, 'id' | 'extensions'>): string {
    return `${this.#baseUrl}/enforcement/extend/${this.token(action)}`;
  }

  token({ id, extensions }: Pick<EnforcementAction, 'id' | 'extensions'>): string {
    return `${id}.${extensions}.${this.#sign(id, extensions)}`;
  }

  /** Undefined for what was never signed here. */
  read(token: string): ExtendToken | undefined {
    const [, action, count, mac] = FORM.exec(token) ?? [];
    if (action === undefined || count === undefined || mac === undefined) return undefined;
    const wanted = Buffer.from(this.#sign(action, Number(count)));
    const given = Buffer.from(mac);
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return undefined;
    return { action, extensions: Number(count) };
  }

  #sign(action: string, extensions: number): string {
    const said = `tollgate extend ${action} ${extensions}`;
    return createHmac('sha256', this.#secret).update(said).digest('base64url');
  }
}
