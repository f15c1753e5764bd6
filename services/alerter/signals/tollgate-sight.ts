import type { Instant } from '../../../shared/values/instant.ts';

/** What only running processes know of Tollgate itself; given by who composes them. */
export interface TollgateSight {
  /** How each store answered when it was last looked at. */
  stores(): Promise<
    readonly { readonly store: string; readonly error: string | undefined; readonly at: Instant }[]
  >;
  /** When each source last brought a record; `lastAt` undefined: never since `since`. */
  sources(): Promise<
    readonly {
      readonly collector: string;
      readonly source: string;
      readonly lastAt: Instant | undefined;
      /** Since when it is watched. */
      readonly since: Instant;
      readonly at: Instant;
    }[]
  >;
  /** The rule whose evaluation is most overdue; undefined while nothing is evaluated here. */
  evaluation(): Promise<
    { readonly rule: string; readonly dueAt: Instant; readonly at: Instant } | undefined
  >;
}
