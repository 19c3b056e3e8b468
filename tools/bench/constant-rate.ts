import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { Client, type Dispatcher } from 'undici';

/**
 * Options of an open-model load generator, which sends requests on schedule even when earlier responses are late. Autocannon's
 * `--overallRate` instead sends each second's requests in a burst at its start.
 *
 * This file runs as a program: it takes {@link ConstantRateOptions} as JSON and prints {@link ConstantRateResult} as JSON.
 */
export interface ConstantRateOptions {
  readonly url: string;
  /** @default - none */
  readonly cookie?: string | undefined;
  /** Requests per second. */
  readonly rate: number;
  /** Duration. The first second is warm-up and is not counted. */
  readonly seconds: number;
  /** Opened before the first request. While all are in use, requests queue, and queueing time counts as latency. */
  readonly connections: number;
}

/** Rates per second. Latency counts from the scheduled send time, which avoids coordinated omission. */
export interface ConstantRateResult {
  /** Offered load. */
  readonly offered: number;
  /** Status 200 within {@link DEADLINE}. */
  readonly inTime: number;
  /** Status 503. */
  readonly refused: number;
  /** Connection errors, and statuses other than 200 and 503. */
  readonly failed: number;
  readonly refusalP50Ms: number;
  readonly refusalP99Ms: number;
}

/** Latency in milliseconds up to which a response counts as in time. */
export const DEADLINE = 1_000;

/** Milliseconds. */
const WARM_UP = 1_000;

async function run({ url, cookie, rate, seconds, connections }: ConstantRateOptions): Promise<ConstantRateResult> {
  const { origin, pathname, search } = new URL(url);
  const request = {
    path: pathname + search,
    method: 'GET',
    headers: cookie ? { cookie } : {},
  } satisfies Dispatcher.DispatchOptions;
  const counts = { offered: 0, inTime: 0, refused: 0, failed: 0 };
  const refusals: RecordableHistogram = createHistogram();
  const free = await open(origin, connections);
  const waiting: number[] = [];
  let next = 0;
  const began = performance.now();
  const end = began + seconds * 1000;

  const count = (due: number, status: number) => {
    const now = performance.now();
    if (now < began + WARM_UP || now > end) return;
    if (status === 200) counts.inTime += now - due <= DEADLINE ? 1 : 0;
    else if (status === 503) {
      counts.refused += 1;
      refusals.record(Math.max(1, Math.round((now - due) * 1000)));
    } else counts.failed += 1;
  };
  const send = (client: Client, due: number) => {
    let status = 0;
    const done = () => {
      count(due, status);
      const late = waiting[next];
      if (late === undefined) return free.push(client);
      next += 1;
      return send(client, late);
    };
    client.dispatch(request, {
      onRequestStart() {},
      onResponseStart(_controller, code) {
        status = code;
      },
      onResponseData() {},
      onResponseEnd: done,
      onResponseError: done,
    });
  };

  let sent = 0;
  for (let now = began; now < end; now = performance.now()) {
    for (const due = ((now - began) * rate) / 1000; sent < due; sent += 1) {
      const at = began + (sent * 1000) / rate;
      if (at > began + WARM_UP) counts.offered += 1;
      const client = free.pop();
      if (client) send(client, at);
      else waiting.push(at);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const counted = seconds - WARM_UP / 1000;
  return {
    offered: counts.offered / counted,
    inTime: counts.inTime / counted,
    refused: counts.refused / counted,
    failed: counts.failed / counted,
    refusalP50Ms: counts.refused ? refusals.percentile(50) / 1000 : 0,
    refusalP99Ms: counts.refused ? refusals.percentile(99) / 1000 : 0,
  };
}

/** Connects in batches of 50: a larger burst overflows the listen backlog. */
async function open(origin: string, connections: number): Promise<Client[]> {
  const clients: Client[] = [];
  while (clients.length < connections) {
    const batch = Array.from({ length: Math.min(50, connections - clients.length) }, () => new Client(origin));
    await Promise.all(
      batch.map(async (client) => (await client.request({ path: '/healthz', method: 'GET' })).body.dump()),
    );
    clients.push(...batch);
  }
  return clients;
}

if (require.main === module) {
  run(JSON.parse(process.argv[2] as string) as ConstantRateOptions).then((result) => {
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
  });
}
