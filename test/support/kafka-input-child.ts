// Reads Kafka as its parent configures it, and lets the parent store: each batch is sent there and
// awaited. A test kills it in the middle of that.
import { kafkaConfig } from '../../services/collectors/inputs/kafka-config.ts';
import { startKafkaInput } from '../../services/collectors/inputs/kafka-input.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';

const config = kafkaConfig('logs', ['json', 'text']).parse(JSON.parse(process.argv[2] ?? ''));
const waiting = new Map<number, () => void>();
let next = 0;
process.on('message', (number: number) => {
  waiting.get(number)?.();
  waiting.delete(number);
});
process.on('disconnect', () => process.exit(0));
startKafkaInput({
  collector: 'logs',
  config,
  handler: {
    take: (batch) =>
      new Promise((resolve) => {
        next += 1;
        waiting.set(next, resolve);
        process.send?.({ number: next, batch });
      }),
  },
  clock: systemClock,
  random: Math.random,
  logger: createLogger('child', 'warn'),
  metrics: new Metrics(),
});
