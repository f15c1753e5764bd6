import { sparkSuite } from './spark/spark-suite.ts';

sparkSuite({ name: 'embedded stores, progress over HTTP', config: {} });
