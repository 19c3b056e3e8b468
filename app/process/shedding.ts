import type { LoadSheddingOptions } from '../http/load-shedding';

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
