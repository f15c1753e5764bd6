import type { RestExplanation } from '../../../shared/contracts/rest-explanation.ts';
import { NANOCREDITS_PER_CREDIT, parseCredits } from '../../../shared/values/money.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';

type Container = RestExplanation['containers'][number];
type Line = Container['lines'][number];
type Resources = Container['intervals'][number]['resources'];

const UNIT_OF = { cores: 'millicore-ms', memory: 'MiB-ms', gpus: 'GPU-ms' } as const;
const KIND_OF = {
  'container-started': 'started',
  'container-resized': 'resized',
  'container-stopped': 'stopped',
} as const;

/** `12,345.678`: groups of three before the point. */
function grouped(number: string): string {
  const [whole = '', fraction] = number.split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

function nanocredits(credits: string): string {
  return grouped(String(parseCredits(credits) ?? 0n));
}

/** `2026-11-21 06:30:00.000`; whole minutes without the rest. */
function time(instant: string): string {
  const text = instant.replace('T', ' ').replace('Z', '');
  return text.endsWith(':00.000') ? text.slice(0, -7) : text;
}

const until = (instant: string | null): string => (instant === null ? 'now' : time(instant));

function sizeText({ millicores, memoryMib, gpus }: Resources): string {
  const cores = `${millicores / 1_000} ${millicores === 1_000 ? 'core' : 'cores'}`;
  const plus = gpus === 0 ? '' : `, ${gpus} GPU${gpus === 1 ? '' : 's'}`;
  return `${cores}, ${grouped(String(memoryMib))} MiB${plus}`;
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => (line === '' ? '' : `  ${line}`));
}

function payerLines({ application }: RestExplanation): string[] {
  const rows = application.attribution.map(({ at, witness, project, decides, why }) => [
    decides ? '✓' : '·',
    time(at),
    witness,
    project ?? '(another)',
    why,
  ]);
  const titles = ['', 'TIME (UTC)', 'WITNESS', 'PROJECT', 'WHY'];
  if (rows.length === 0) return ['WHO PAYS', '  no fact names a payer: unattributed'];
  return [
    'WHO PAYS',
    ...indented(
      table(
        titles.map((title) => ({ title })),
        rows,
      ),
    ),
  ];
}

function factLines(container: Container): string[] {
  const day = container.facts[0]?.at.slice(0, 10) ?? '';
  const rows = container.facts.map((fact) => [
    fact.decides.length > 0 ? '✓' : '·',
    fact.at.startsWith(day) ? fact.at.slice(11, -1) : time(fact.at),
    fact.witness,
    KIND_OF[fact.kind],
    fact.kind === 'container-stopped' ? fact.reason : sizeText(fact.resources),
    fact.decides.length > 0 ? fact.why : `passed over: ${fact.why}`,
  ]);
  const titles = ['', 'UTC', 'WITNESS', 'FACT', 'TOLD', 'READ AS'];
  const evidence =
    container.evidence === null ? [] : [`  last seen alive ${time(container.evidence.until)}`];
  return [
    `FACTS of ${day}`,
    ...indented(
      table(
        titles.map((title) => ({ title })),
        rows,
      ),
    ),
    ...evidence,
  ];
}

function intervalLines(container: Container): string[] {
  const intervals = container.intervals.map(
    ({ start, end, resources }) => `  ${time(start)} to ${time(end)}  ${sizeText(resources)}`,
  );
  const none = container.intervals.length === 0 ? ['  nothing that could be charged'] : [];
  const why = container.why === '' ? [] : [`  ${container.coverage}: ${container.why}`];
  const outcome = container.outcome === '' ? [] : [`  priced as ${container.outcome} %`];
  return ['INTERVALS', ...intervals, ...none, ...why, ...outcome];
}

/** What a price rule recorded, as far as it is small: numbers and texts of the first level. */
function inputsText(inputs: unknown): string {
  if (typeof inputs !== 'object' || inputs === null) return '';
  const known = Object.entries(inputs).flatMap(([name, value]) => {
    if (typeof value === 'number') return [`${name} ${Number(value.toPrecision(6))}`];
    return typeof value === 'string' && value.length < 40 ? [`${name} ${value}`] : [];
  });
  return known.length === 0 ? '' : ` (${known.join(', ')})`;
}

function priceLines(explanation: RestExplanation): string[] {
  const { pool } = explanation.rules;
  const lines = explanation.epochs.map(
    ({ multiplier, start, end, reason, inputs }) =>
      `  ${multiplier} X  ${time(start)} to ${until(end)}  ${reason}${inputsText(inputs)}`,
  );
  const none = pool === null ? 'no pool prices this cluster' : 'no price was announced yet';
  return [
    `PRICE${pool === null ? '' : ` of pool ${pool}`}`,
    ...(lines.length === 0 ? [`  1.00 X  ${none}: the base price`] : lines),
  ];
}

/** Columns of one product: what is multiplied, and what comes of it. */
function productRow(product: Line['products'][number], factor: string): string[] {
  const { resource, quantity, perUnit, rate, exact, counts } = product;
  const unit = perUnit === '1' ? '' : ` ÷ ${grouped(perUnit)}`;
  return [
    resource,
    `${grouped(quantity)} ${UNIT_OF[resource]}${unit} ÷ 1,000 × ${nanocredits(rate)} × ${factor}`,
    counts ? '=' : '(=)',
    ...aligned(exact),
  ];
}

/** Whole part and fraction apart, so that the points stand below each other. */
function aligned(exact: string): string[] {
  const [whole = '', fraction] = exact.split('.');
  return [grouped(whole), fraction === undefined ? '' : `.${fraction}`];
}

/** What is missing to the least that a container costs. */
function minimumLines({ least, charged }: NonNullable<Line['minimum']>, line: Line): string[] {
  return [
    `  rate card ${printable(line.rateCard?.id ?? '')}: at least ${least} credits a container`,
    `  ${nanocredits(least)} − ${nanocredits(charged)} charged for its use = ${nanocredits(line.recomputed)}`,
  ];
}

function arithmeticLines(line: Line, outcome: string): string[] {
  const [, percent] = outcome.split(' ');
  const factor = percent === undefined ? line.multiplier : `${line.multiplier} × ${percent} %`;
  if (line.minimum !== null) return minimumLines(line.minimum, line);
  if (line.sum === null || line.rateCard === null) return [];
  const { id, coreSecond, gibSecond, gpuSecond, rule, scale } = line.rateCard;
  const [left, right] = [{ title: '' }, { title: '', align: 'right' as const }];
  const rows = [
    ...line.products
      .filter(({ quantity }) => quantity !== '0')
      .map((product) => productRow(product, factor)),
    [rule === 'dominant' ? 'dearest' : 'sum', 'nanocredits, exact', '=', ...aligned(line.sum)],
    [
      'amount',
      `${scale === '1' ? '' : `÷ ${grouped(scale)}, `}rounded once, half to even`,
      '=',
      nanocredits(line.recomputed),
      '',
    ],
  ];
  const text = table([left, left, left, right, left], rows)
    .split('\n')
    .filter((row) => row.trim() !== '')
    .map((row) => `  ${row}`);
  const parts = scale === '1' ? '' : `, ÷ ${grouped(scale)}`;
  const card = `  rate card ${printable(id)}: core ${coreSecond}, GiB ${gibSecond}, GPU ${gpuSecond} credits a second${parts}`;
  return [card, ...text];
}

function pieceLines(line: Line): string[] {
  return line.pieces.map(({ start, end, resources, quantity, epoch }) => {
    const price = epoch === null ? '  (base price)' : '';
    return `  ${time(start)} to ${time(end)}  ${grouped(quantity.containerMs)} ms of ${sizeText(resources)}${price}`;
  });
}

function rowLines(line: Line): string[] {
  return line.rows.map(
    ({ id, type, amount, storedAt, coverage }) =>
      `  ledger ${time(storedAt)}  ${type} ${nanocredits(amount)}  ${coverage}  ${id}`,
  );
}

function lineLines(line: Line, outcome: string): string[] {
  return [
    `LINE ${time(line.hour)} ${line.kind === 'minimum' ? 'minimum charge' : `at ${line.multiplier} X`}`,
    ...pieceLines(line),
    ...arithmeticLines(line, outcome),
    ...rowLines(line),
    ...line.differences.map((difference) => `  DIFFERENCE ${difference}`),
  ];
}

function containerTitle({ container, role, attempt }: Container): string {
  const which = [role, attempt === '' ? '' : `attempt ${attempt}`].filter((one) => one !== '');
  return `container ${printable(container)}${which.length === 0 ? '' : ` (${which.join(', ')})`}`;
}

/** A container of an application: its lines in a table, and in full only what differs. */
function shortContainer(container: Container): string[] {
  const span =
    container.start === null
      ? 'no start is known: nothing is charged'
      : `${time(container.start)} to ${until(container.end)}, ${container.coverage}: ${container.why}`;
  const rows = container.lines.map((line) => [
    time(line.hour),
    line.kind === 'minimum' ? 'minimum' : `${line.multiplier} X`,
    nanocredits(line.recomputed),
    line.differences.length === 0 ? '= ledger' : `ledger ${nanocredits(line.ledger)}`,
    line.rows.at(-1)?.id ?? '',
  ]);
  const right = 'right' as const;
  const columns = [
    { title: 'HOUR (UTC)' },
    { title: 'PRICE' },
    { title: 'NANOCREDITS', align: right },
    { title: '' },
    { title: 'CHARGE' },
  ];
  return [
    `${containerTitle(container)}  ${span}`,
    ...(rows.length === 0 ? [] : indented(table(columns, rows))),
    ...container.lines.flatMap(({ differences }) =>
      differences.map((text) => `  DIFFERENCE ${text}`),
    ),
    '',
  ];
}

function titleLines(explanation: RestExplanation): string[] {
  const { application, kind, id, project, standing } = explanation;
  const name = application.name === '' ? '' : ` "${printable(application.name)}"`;
  const of = `application ${printable(application.id)}${name} on ${printable(application.cluster)}, project ${project}`;
  if (kind === 'application') return [of, ''];
  const [container] = explanation.containers;
  const where = container === undefined ? '' : `${containerTitle(container)} of `;
  return [`charge ${printable(id)}: ${standing}`, `${where}${of}`, ''];
}

/** The verdict, in credits too. */
function verdictLine({ verdict }: RestExplanation): string {
  return `${verdict.message}\n${verdict.recomputed} credits (1 credit = ${NANOCREDITS_PER_CREDIT.toLocaleString('en-US')} nanocredits)`;
}

/**
 * An explanation for people. A charge is told whole; of an application, the lines of its containers.
 *
 * @param isFull tells every container whole
 */
export function explainText(explanation: RestExplanation, isFull: boolean): string {
  const whole = isFull || explanation.kind === 'charge';
  const containers = explanation.containers.flatMap((container) =>
    whole
      ? [
          ...(explanation.kind === 'charge' ? [] : [containerTitle(container)]),
          ...[...factLines(container), '', ...intervalLines(container), ''],
          ...container.lines.flatMap((line) => [...lineLines(line, container.outcome), '']),
        ]
      : shortContainer(container),
  );
  const lines = [
    ...titleLines(explanation),
    ...[...payerLines(explanation), '', ...priceLines(explanation), ''],
    ...containers,
    verdictLine(explanation),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}
