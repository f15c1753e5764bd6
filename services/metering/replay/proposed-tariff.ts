import { REPLAY_PARTS } from '../../../shared/contracts/rest-replay.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { type MeteringConfig, meteringConfig } from '../config.ts';
import { type ReplayTariff, replayTariff } from './config.ts';

export interface ProposedTariff {
  /** The configuration with what the tariff says otherwise. */
  readonly config: MeteringConfig;
  readonly budgets: NonNullable<ReplayTariff['budgets']>;
  readonly changed: readonly (typeof REPLAY_PARTS)[number][];
}

interface Problem {
  readonly path: string;
  readonly message: string;
}

type Issues = readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];

function problemsOf(issues: Issues): Problem[] {
  return issues.map(({ path, message }) => ({
    path: ['body.tariff', ...path.map(String)].join('.'),
    message,
  }));
}

function refuse(problems: readonly Problem[]): AppError {
  const message = problems.map((one) => `${one.path}: ${one.message}`).join('; ');
  return new AppError('BAD_REQUEST', message, { details: { errors: problems } });
}

const part = (tariff: Readonly<Record<string, unknown>>, name: string): object | undefined =>
  typeof tariff[name] === 'object' && tariff[name] !== null ? tariff[name] : undefined;

/**
 * Lays a tariff over the configuration: an option that it doesn't name stays as it is.
 *
 * @throws AppError BAD_REQUEST with all that is wrong with it
 */
export function proposedTariff(
  config: MeteringConfig,
  tariff: Readonly<Record<string, unknown>>,
): ProposedTariff {
  const unknown = Object.keys(tariff).filter((name) => !Object.hasOwn(replayTariff.shape, name));
  const names = unknown.map((name) => ({ path: [name], message: 'is not known here' }));
  const checked = replayTariff.safeParse(tariff);
  const problems = problemsOf([...names, ...(checked.error?.issues ?? [])]);
  if (!checked.success || problems.length > 0) throw refuse(problems);
  const [card, price] = ['rateCard', 'price'].map((name) => part(tariff, name));
  const whole = ['rateCards', 'markets', 'pools'].filter((name) => tariff[name] !== undefined);
  const merged = meteringConfig.safeParse({
    ...config,
    ...(card === undefined
      ? {}
      : {
          rateCard: { ...config.rateCard, id: 'replay', validFrom: undefined, ...card },
          earlierRateCards: checked.data.earlierRateCards ?? [],
        }),
    ...Object.fromEntries(whole.map((name) => [name, tariff[name]])),
    price: { ...config.price, ...price },
  });
  if (!merged.success) throw refuse(problemsOf(merged.error.issues));
  const { budgets = [] } = checked.data;
  return {
    config: merged.data,
    budgets,
    changed: REPLAY_PARTS.filter((name) => tariff[name] !== undefined),
  };
}
