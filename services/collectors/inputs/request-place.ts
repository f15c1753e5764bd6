import type { Request } from 'express';
import { AppError } from '../../../shared/errors/app-error.ts';

const CLUSTER = /^[\w.:-]{1,64}$/;

/** A header's value, the first where it came twice. */
export function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Where what is pushed runs. @throws AppError BAD_REQUEST */
export function clusterOf(request: Request): string {
  const cluster = header(request, 'tollgate-cluster') ?? 'default';
  if (CLUSTER.test(cluster)) return cluster;
  throw new AppError('BAD_REQUEST', 'Tollgate-Cluster: letters, digits and . _ : - up to 64');
}
