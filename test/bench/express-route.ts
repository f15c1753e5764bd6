import type { AddressInfo } from 'node:net';
import express from 'express';

/** The measure of the quota check: an Express route that does nothing. Prints its port. */
const app = express();
app.disable('etag');
app.disable('x-powered-by');
app.post('/nothing', (_request, response) => {
  response.json({ ok: true });
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
