import { sparkSuite } from './spark/spark-suite.ts';

sparkSuite('embedded stores, progress over HTTP', async () => ({
  config: {},
  [Symbol.asyncDispose]: async () => undefined,
}));
