import { z } from 'zod';
import { nearestName } from '../../../shared/config/nearest-name.ts';
import { AppError } from '../../../shared/errors/app-error.ts';

export interface FieldError {
  /** As a person would write it: `query.limit`, `body.resources.cores`. */
  readonly path: string;
  readonly message: string;
}

/** A hostile body can be wrong in thousands of places; nobody reads more than these. */
const ERRORS_MAX = 50;

/** All problems of a request in one answer. */
export function badRequest(problems: readonly FieldError[]): AppError {
  const errors = problems.slice(0, ERRORS_MAX);
  const message = errors.map((one) => `${one.path}: ${one.message}`).join('; ');
  return new AppError('BAD_REQUEST', message, { details: { errors } });
}

function unknownName(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return near === undefined ? 'is not known here' : `is not known here; did you mean "${near}"?`;
}

function fieldErrors(where: string, error: z.ZodError, schema: z.ZodType): FieldError[] {
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return error.issues.slice(0, ERRORS_MAX).flatMap((issue) => {
    const path = [where, ...issue.path.map(String)].join('.');
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    const known = issue.path.length === 0 ? names : [];
    return issue.keys.slice(0, ERRORS_MAX).map((key) => ({
      path: `${path}.${key.slice(0, 100)}`,
      message: unknownName(key, known),
    }));
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
  errors.push(...fieldErrors(where, result.error, schema));
  return undefined;
}
