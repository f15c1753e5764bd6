import type { z } from 'zod';
import type { TokenScope } from '../../../shared/stores/token-store.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

import type { Caller } from './caller.ts';

type Shape = z.ZodObject;

/** What a handler gets: checked, typed, and the project as an id of its own. */
export interface EndpointInput<Q, B> {
  /** Undefined where the path has no `{project}`. */
  readonly project: ProjectId;
  /** Who asks; that it may see the project has been checked. */
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly body: B;
}

/** One address of the API: schema, handler and documentation together. */
export interface Endpoint {
  readonly method: 'get' | 'post' | 'put';
  /** With `{name}` for parts; `{project}` is checked before the handler runs. */
  readonly path: string;
  /** What the caller's token must allow. */
  readonly scope: TokenScope;
  readonly summary: string;
  readonly query?: Shape;
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  readonly status: number;
  /** It answers with many objects as they come, one JSON line each; `handle` gives an iteration. */
  readonly lines?: true;
  readonly handle: (input: EndpointInput<never, never>) => Promise<object>;
}

interface Typed<Q extends Shape, B extends z.ZodType, A extends z.ZodType> {
  readonly method: 'get' | 'post' | 'put';
  readonly path: string;
  readonly scope: TokenScope;
  readonly summary: string;
  readonly query?: Q;
  readonly body?: B;
  readonly answer: A;
  readonly status?: number;
  readonly handle: (input: EndpointInput<z.infer<Q>, z.infer<B>>) => Promise<z.input<A> & object>;
}

/** Ties a handler's types to its schemas. */
export function endpoint<
  A extends z.ZodType,
  Q extends Shape = z.ZodObject<Record<string, never>>,
  B extends z.ZodType = z.ZodUndefined,
>(definition: Typed<Q, B, A>): Endpoint {
  return { status: 200, ...definition };
}

type TypedLines<Q extends Shape, B extends z.ZodType, A extends z.ZodType> = Omit<
  Typed<Q, B, A>,
  'handle'
> & {
  readonly handle: (
    input: EndpointInput<z.infer<Q>, z.infer<B>>,
  ) => Promise<AsyncIterable<z.input<A> & object>>;
};

/** An endpoint that answers line by line; `answer` is the schema of one. */
export function linesEndpoint<
  A extends z.ZodType,
  Q extends Shape = z.ZodObject<Record<string, never>>,
  B extends z.ZodType = z.ZodUndefined,
>(definition: TypedLines<Q, B, A>): Endpoint {
  return { status: 200, lines: true, ...definition };
}
