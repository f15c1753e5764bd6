import { z } from 'zod';
import { isLoopback } from '../../../../shared/config/loopback.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../../shared/values/instant.ts';
import { isCidr } from './address-rules.ts';
import { DialGuard } from './dial-guard.ts';
import { addressOf } from './mail/mail-relay.ts';

/** A mailbox name and a domain, without what could end a header, a command or begin a second address. */
const ADDRESS = /^[^\s@<>(),;:\\"[\]]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these end a header.
const HEADER_VALUE = /^[^\u0000-\u0008\u000a-\u001f\u007f]*$/;

const address = z
  .string()
  .refine((text) => ADDRESS.test(text), 'is no mail address, such as ops@example.org');

const urlOption = (sentence: string) =>
  z
    .string()
    .refine((text) => URL.canParse(text), 'is no URL, such as https://hooks.example.org/tollgate')
    .describe(sentence);

const secret = (sentence: string) =>
  z.string().min(1).describe(`${sentence} A secret: take it from the environment.`);

const milliseconds = (byDefault: number, range: readonly [number, number], sentence: string) =>
  z.number().int().min(range[0]).max(range[1]).default(byDefault).describe(sentence);

const headers = z
  .record(
    z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'is no name of a header'),
    z.string().regex(HEADER_VALUE, 'may not hold line breaks or control characters'),
  )
  .default({})
  .describe('Headers sent along, such as Authorization. Secrets: take them from the environment.');

const webhook = z.object({
  url: urlOption('Where messages are POSTed. A secret, if it says who may post.'),
  body: z
    .enum(['tollgate', 'alertmanager'])
    .default('tollgate')
    .describe("Tollgate's own body, or that of Alertmanager's webhooks, version 4."),
  signingSecret: z
    .string()
    .min(16)
    .optional()
    .describe('Signs each body (Standard Webhooks 1.0). A secret: take it from the environment.'),
  headers,
});

const receiver = z.object({
  name: z.string().min(1).max(200).describe('Name that routes give it.'),
  sendResolved: z
    .boolean()
    .default(true)
    .describe('Tells that alerts ended, too; false passes over messages that say nothing else.'),
  digestMs: milliseconds(
    0,
    [0, 7 * DAY_MS],
    'Mail of a window of this length becomes one mail, in ms; critical alerts go at once. 0: each its own.',
  ),
  giveUpAfterMs: milliseconds(
    DAY_MS,
    [10 * MINUTE_MS, 30 * DAY_MS],
    'A message older than this whose destination fails is given up, in ms; that is logged and counted.',
  ),
  slack: z
    .array(
      z.object({
        channel: z.string().min(1).max(200).describe('Id of a channel, or #name.'),
        token: secret('Bot token of a workspace of its own.').optional(),
      }),
    )
    .default([])
    .describe('Slack channels a bot posts to: messages are updated in place, and threaded.'),
  slackWebhooks: z
    .array(
      z.object({
        url: urlOption('Of an incoming webhook. A secret: take it from the environment.'),
      }),
    )
    .default([])
    .describe('Incoming webhooks of Slack: new messages only.'),
  mail: z.array(address).default([]).describe('Mail addresses; each gets a mail of its own.'),
  webhooks: z.array(webhook).default([]).describe('Webhooks.'),
  pagerduty: z
    .array(
      z.object({
        routingKey: secret('Integration key of an Events API v2 integration.'),
        url: urlOption('Of the Events API.').default('https://events.pagerduty.com/v2/enqueue'),
      }),
    )
    .default([])
    .describe('PagerDuty services.'),
  opsgenie: z
    .array(
      z.object({
        apiKey: secret('Key of an API integration.'),
        url: urlOption(
          'Of the Alert API; https://api.eu.opsgenie.com/v2/alerts in the EU.',
        ).default('https://api.opsgenie.com/v2/alerts'),
      }),
    )
    .default([])
    .describe('Opsgenie teams.'),
});

const mailRelay = z.object({
  host: z.string().default('').describe('SMTP relay; empty: no mail.'),
  port: z.number().int().min(1).max(65_535).default(587).describe('Its port.'),
  security: z
    .enum(['starttls', 'tls', 'none'])
    .default('starttls')
    .describe('starttls: no mail without it; tls: from the first byte (port 465); none: in clear.'),
  user: z.string().min(1).optional().describe('User at the relay.'),
  password: secret('Password at the relay.').optional(),
  caFile: z.string().min(1).optional().describe('PEM of its authority, if the system lacks it.'),
  from: z
    .string()
    .refine((text) => ADDRESS.test(addressOf(text)), 'is no mailbox, such as Tollgate <a@b.org>')
    .default('Tollgate <tollgate@localhost>')
    .describe('Sender; its domain is that of Message-Id and List-Id.'),
});

/** How receivers are reached. `alerter.notify` holds these options. */
export const sendersOptions = {
  consoleUrl: z
    .union([z.literal(''), urlOption('')])
    .default('')
    .describe('Where people open the console; messages link to it. Empty: no link.'),
  sendTimeoutMs: milliseconds(
    10 * SECOND_MS,
    [100, 5 * MINUTE_MS],
    'Longest time of one attempt to deliver, in ms.',
  ),
  dial: z
    .object({
      allow: z
        .array(z.string().refine(isCidr, 'is no CIDR, such as 10.1.0.0/16'))
        .default([])
        .describe('Networks that webhooks may lead to though they are private or special.'),
    })
    .prefault({})
    .describe('What requests to receivers may be sent to; public addresses always.'),
  slack: z
    .object({
      token: secret('Bot token (scope chat:write).').optional(),
      apiUrl: urlOption('Of the Web API, with a / at its end.').default('https://slack.com/api/'),
    })
    .prefault({})
    .describe('The Slack bot.'),
  mail: mailRelay
    .prefault({})
    .describe('The mail relay. It may be private: it is set up here only.'),
  receivers: z.array(receiver).default([]).describe('Whom routes can tell.'),
  alertmanagers: z
    .array(z.object({ url: urlOption('Root of an Alertmanager.'), headers }))
    .default([])
    .describe('Alertmanagers that are told of all alerts, over and over.'),
  alertmanagerResendMs: milliseconds(
    MINUTE_MS,
    [SECOND_MS, HOUR_MS],
    'How often Alertmanagers are told, in ms.',
  ),
  watchdog: z
    .object({
      url: urlOption(
        'Of a dead man’s switch outside. A secret, if it says who may beat.',
      ).optional(),
      method: z.enum(['GET', 'POST']).default('POST').describe('How it is called.'),
      intervalMs: milliseconds(MINUTE_MS, [SECOND_MS, DAY_MS], 'Time between two beats, in ms.'),
    })
    .prefault({})
    .describe('Heartbeat while alerts work: its silence pages somebody.'),
};

const shape = z.object(sendersOptions);

export type SendersConfig = z.infer<typeof shape>;
export type ReceiverConfig = SendersConfig['receivers'][number];

type Problem = readonly [path: (string | number)[], message: string];

function dialProblems(config: SendersConfig): Problem[] {
  const guard = new DialGuard(config.dial.allow);
  const places: [(string | number)[], string][] = [
    [['slack', 'apiUrl'], config.slack.apiUrl],
    ...config.alertmanagers.map((one, i): [(string | number)[], string] => [
      ['alertmanagers', i, 'url'],
      one.url,
    ]),
    ...config.receivers.flatMap((one, i) =>
      (['slackWebhooks', 'webhooks', 'pagerduty', 'opsgenie'] as const).flatMap((kind) =>
        one[kind].map((entry, n): [(string | number)[], string] => [
          ['receivers', i, kind, n, 'url'],
          entry.url,
        ]),
      ),
    ),
  ];
  if (config.watchdog.url !== undefined) places.push([['watchdog', 'url'], config.watchdog.url]);
  return places.flatMap(([path, text]): Problem[] => {
    // What is no URL at all is told at its own option.
    const url = URL.parse(text);
    const problem = url === null ? undefined : guard.literalProblem(url);
    return problem === undefined ? [] : [[path, problem]];
  });
}

function receiverProblems({ receivers, slack, mail }: SendersConfig): Problem[] {
  const names = receivers.map(({ name }) => name);
  return receivers.flatMap((one, i) => {
    const problems: Problem[] = [];
    const say = (path: (string | number)[], message: string): void => {
      problems.push([['receivers', i, ...path], message]);
    };
    if (names.indexOf(one.name) < i) say(['name'], 'is the name of an earlier receiver, too');
    one.slack.forEach(({ token }, n) => {
      if (token !== undefined || slack.token !== undefined) return;
      say(['slack', n], 'needs a bot token: set alerter.notify.slack.token, or its own token');
    });
    if (one.mail.length > 0 && mail.host === '') {
      say(['mail'], 'needs a relay: set alerter.notify.mail.host');
    }
    const others = one.slack.length + one.slackWebhooks.length + one.webhooks.length;
    if (one.digestMs > 0 && others + one.pagerduty.length + one.opsgenie.length > 0) {
      say(['digestMs'], 'is for mail alone; give the other destinations a receiver of their own');
    }
    return problems;
  });
}

function relayProblems({ mail }: SendersConfig): Problem[] {
  if (mail.security !== 'none' || mail.password === undefined || isLoopback(mail.host)) return [];
  return [[['mail', 'security'], 'would send the password in clear; use starttls or tls']];
}

/** What is wrong between options; all of it at once. For the schema that holds `sendersOptions`. */
export function sendersProblems(config: SendersConfig): Problem[] {
  return [...dialProblems(config), ...receiverProblems(config), ...relayProblems(config)];
}

/** The options checked, alone; where they are a part of more, `sendersProblems` goes along. */
export const sendersConfig = shape.prefault({}).superRefine((config, context) => {
  for (const [path, message] of sendersProblems(config)) {
    context.addIssue({ code: 'custom', path, message });
  }
});
