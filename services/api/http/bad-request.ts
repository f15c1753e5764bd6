import type { z } from 'zod';
import { AppError } from '../../../shared/errors/app-error.ts';

export interface FieldError {
  /** As a person would write it: `query.limit`, `body.resources.cores`. */
  readonly path: string;
  readonly message: string;
}

/** All problems of a request in one answer. */
export function badRequest(errors: readonly FieldError[]): AppError {
  const message = errors.map((one) => `${one.path}: ${one.message}`).join('; ');
  return new AppError('BAD_REQUEST', message, { details: { errors } });
}

function fieldErrors(where: string, error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue) => {
    const path = [where, ...issue.path.map(String)].join('.');
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    return issue.keys.map((key) => ({ path: `${path}.${key}`, message: 'is not known here' }));
  });
}

/** Checks one part of a request; its problems are collected, so that all are said at once. */
export function checkPart<S extends z.ZodType>(
  where: string,
  schema: S | undefined,
  value: unknown,
  errors: FieldError[],
): z.output<S> | undefined {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  errors.push(...fieldErrors(where, result.error));
  return undefined;
}
