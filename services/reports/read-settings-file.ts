import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { z } from 'zod';
import type { AttributionRules } from '../../shared/attribution/attribution-rules.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { parseRateCard, type RateCard } from '../../shared/values/rate-card.ts';
import { ratesFile, rulesFile } from './config.ts';

const MAX_BYTES = 4 * 1024 * 1024;

function invalid(path: string, problems: readonly string[]): AppError {
  return new AppError('CONFIG_INVALID', `${path} has problems:\n  ${problems.join('\n  ')}`);
}

async function readYaml(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError('INPUT_UNREADABLE', `cannot read ${path}: ${why}`, { cause });
  }
  if (text.length > MAX_BYTES) throw invalid(path, ['it is larger than 4 MiB']);
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch (cause) {
    throw invalid(path, [cause instanceof Error ? cause.message : String(cause)]);
  }
}

function issuesOf(error: z.ZodError): string[] {
  return error.issues.flatMap((issue): string[] => {
    if (issue.code === 'invalid_union') {
      return issue.errors.flat().map((inner) => `${inner.path.join('.')}: ${inner.message}`);
    }
    return [`${issue.path.join('.')}: ${issue.message}`];
  });
}

/** Reads a rate card from YAML or JSON; names all that is wrong with it at once. */
export async function readRates(path: string): Promise<RateCard> {
  const file = ratesFile.safeParse(await readYaml(path));
  if (!file.success) throw invalid(path, issuesOf(file.error));
  const card = parseRateCard(file.data);
  if ('problems' in card) throw invalid(path, card.problems);
  return card;
}

/** Reads attribution rules from YAML or JSON; names all that is wrong with them at once. */
export async function readRules(path: string): Promise<AttributionRules> {
  const file = rulesFile.safeParse(await readYaml(path));
  if (!file.success) throw invalid(path, issuesOf(file.error));
  return file.data;
}
