import type { Clock } from '../../../../shared/runtime/clock.ts';
import type { ReceiverConfig, SendersConfig } from './config.ts';
import type { DialGuard } from './dial-guard.ts';
import { addressOf, MailRelay } from './mail/mail-relay.ts';
import { MailSender } from './mail/mail-sender.ts';
import { OutboundHttp } from './outbound-http.ts';
import type { Receiver, Sender } from './sender.ts';
import { SlackApi } from './slack/slack-api.ts';
import { SlackBotSender } from './slack/slack-bot-sender.ts';
import { SlackWebhookSender } from './slack/slack-webhook-sender.ts';
import { alertmanagerBody } from './webhook/alertmanager-body.ts';
import { opsgenieFormat } from './webhook/opsgenie-body.ts';
import { pagerdutyFormat } from './webhook/pagerduty-body.ts';
import { tollgateBody } from './webhook/tollgate-body.ts';
import { type WebhookOptions, WebhookSender } from './webhook/webhook-sender.ts';

interface Means {
  readonly config: SendersConfig;
  readonly http: OutboundHttp;
  readonly relay: MailRelay;
  readonly clock: Clock;
}

function slackSenders({ slack, slackWebhooks }: ReceiverConfig, means: Means): Sender[] {
  const { config, http } = means;
  const { consoleUrl } = config;
  const base = new URL(config.slack.apiUrl);
  return [
    ...slack.map(({ channel, token = config.slack.token ?? '' }) => {
      const api = new SlackApi({ base, token, http });
      return new SlackBotSender({ api, channel, consoleUrl });
    }),
    ...slackWebhooks.map(({ url }) => {
      return new SlackWebhookSender({ url: new URL(url), http, consoleUrl });
    }),
  ];
}

function webhookSenders({ webhooks, pagerduty, opsgenie }: ReceiverConfig, means: Means): Sender[] {
  const { http, clock, config } = means;
  const shared = { http, clock, consoleUrl: config.consoleUrl };
  const plain = { ...shared, headers: {}, secret: undefined, account: '' };
  const options: WebhookOptions[] = [
    ...webhooks.map(({ url, body, headers, signingSecret }): WebhookOptions => {
      const isOwn = body === 'tollgate';
      const kind = isOwn ? 'webhook' : 'alertmanager-webhook';
      const format = isOwn ? tollgateBody : alertmanagerBody;
      return { ...plain, kind, url: new URL(url), format, headers, secret: signingSecret };
    }),
    ...pagerduty.map(({ url, routingKey }): WebhookOptions => {
      const format = pagerdutyFormat(routingKey);
      return { ...plain, kind: 'pagerduty', url: new URL(url), format, account: routingKey };
    }),
    ...opsgenie.map(({ url, apiKey }): WebhookOptions => {
      const headers = { authorization: `GenieKey ${apiKey}` };
      return { ...plain, kind: 'opsgenie', url: new URL(url), format: opsgenieFormat, headers };
    }),
  ];
  return options.map((one) => new WebhookSender(one));
}

function mailSenders({ mail }: ReceiverConfig, { config, relay }: Means): Sender[] {
  const domain = addressOf(config.mail.from).split('@').at(-1) ?? 'localhost';
  const { consoleUrl } = config;
  return mail.map((to) => new MailSender({ relay, to, domain, consoleUrl }));
}

/** The configured receivers by name. Nothing is connected before something is sent. */
export function openReceivers({
  config,
  guard,
  clock,
  readFile,
}: {
  readonly config: SendersConfig;
  readonly guard: DialGuard;
  readonly clock: Clock;
  /** Reads the relay's authority; throws when it can't. */
  readonly readFile: (path: string) => string;
}): ReadonlyMap<string, Receiver> {
  const { host, port, security, user, password, caFile, from } = config.mail;
  const ca = caFile === undefined ? undefined : readFile(caFile);
  const timeoutMs = config.sendTimeoutMs;
  const http = new OutboundHttp({ guard, clock, timeoutMs });
  const relay = new MailRelay({ host, port, security, user, password, ca, from, timeoutMs });
  const means: Means = { config, http, relay, clock };
  return new Map(
    config.receivers.map((one): [string, Receiver] => {
      const { name, sendResolved, digestMs, giveUpAfterMs } = one;
      const senders = [
        ...slackSenders(one, means),
        ...mailSenders(one, means),
        ...webhookSenders(one, means),
      ];
      return [name, { name, senders, sendResolved, digestMs, giveUpAfterMs }];
    }),
  );
}
