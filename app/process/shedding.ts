import type { Logger } from 'pino';
import type { LoadShedding, LoadSheddingOptions } from '../http/load-shedding';

const MESSAGE = 'The shop is very busy. Please try again in a moment.';

const API_REFUSAL = {
  contentType: 'application/json; charset=utf-8',
  body: JSON.stringify({ error: { code: 'overloaded', message: MESSAGE } }),
};

const PAGE_REFUSAL = {
  contentType: 'text/html; charset=utf-8',
  body:
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>One moment, please</title>' +
    `<h1>One moment, please</h1><p>${MESSAGE}</p></html>`,
};

/** Load shedding for the shop's URLs. */
export const SHEDDING: LoadSheddingOptions = {
  exempt: /^\/(healthz|readyz|whoami)$/,
  fromMemory: /^\/(api\/products|products\/|assets\/|\?|$)/,
  refusal: (url) => (url.startsWith('/api/') ? API_REFUSAL : PAGE_REFUSAL),
};

/** Milliseconds between two log lines. One line for each shed request would take a fifth of the throughput that shedding keeps. */
const LOG_INTERVAL = 1_000;

/** Logs how many requests were shed since the last line, if any. Returns a function that writes the last line and stops. */
export function logShedRequests(log: Logger, { counters }: LoadShedding): () => void {
  let logged = 0;
  const write = () => {
    const requests = counters.shed - logged;
    logged = counters.shed;
    if (requests > 0) log.warn({ requests }, 'shed requests');
  };
  const timer = setInterval(write, LOG_INTERVAL).unref();
  return () => {
    clearInterval(timer);
    write();
  };
}
