import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { Client, type Dispatcher } from 'undici';

/**
 * Load with an open model: each request has its time, whatever became of those before it. Autocannon's own `--overallRate`
 * sends a second's requests at its beginning, as fast as they are answered, and is then silent until the next.
 *
 * Runs as a program: takes {@link ConstantRateOptions} as JSON, prints {@link ConstantRateResult} as JSON.
 */
export interface ConstantRateOptions {
  readonly url: string;
  /** @default - none */
  readonly cookie?: string | undefined;
  /** Requests a second. */
  readonly rate: number;
  /** The first second does not count. */
  readonly seconds: number;
  /** All are open before the first request. When all are in use, a request waits for one, and the wait counts. */
  readonly connections: number;
}

/** What came back, a second; how long it took is counted from when the request was due. */
export interface ConstantRateResult {
  readonly asked: number;
  /** Answered 200 within {@link PATIENCE}. */
  readonly inTime: number;
  /** Answered 503. */
  readonly refused: number;
  /** Connections that failed, and other answers than 200 and 503. */
  readonly failed: number;
  readonly refusalP50Ms: number;
  readonly refusalP99Ms: number;
}

/** Milliseconds after which an answer is of no use any more. */
export const PATIENCE = 1_000;

const WARM_UP = 1_000;

async function arrive({ url, cookie, rate, seconds, connections }: ConstantRateOptions): Promise<ConstantRateResult> {
  const { origin, pathname, search } = new URL(url);
  const request = {
    path: pathname + search,
    method: 'GET',
    headers: cookie ? { cookie } : {},
  } satisfies Dispatcher.DispatchOptions;
  const counts = { asked: 0, inTime: 0, refused: 0, failed: 0 };
  const refusals: RecordableHistogram = createHistogram();
  const free = await open(origin, connections);
  const waiting: number[] = [];
  let next = 0;
  const began = performance.now();
  const end = began + seconds * 1000;

  const count = (due: number, status: number) => {
    const now = performance.now();
    if (now < began + WARM_UP || now > end) return;
    if (status === 200) counts.inTime += now - due <= PATIENCE ? 1 : 0;
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
      if (at > began + WARM_UP) counts.asked += 1;
      const client = free.pop();
      if (client) send(client, at);
      else waiting.push(at);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const counted = seconds - WARM_UP / 1000;
  return {
    asked: counts.asked / counted,
    inTime: counts.inTime / counted,
    refused: counts.refused / counted,
    failed: counts.failed / counted,
    refusalP50Ms: counts.refused ? refusals.percentile(50) / 1000 : 0,
    refusalP99Ms: counts.refused ? refusals.percentile(99) / 1000 : 0,
  };
}

/** A few at a time: a server accepts no more than its backlog at once. */
async function open(origin: string, connections: number): Promise<Client[]> {
  const clients: Client[] = [];
  while (clients.length < connections) {
    const some = Array.from({ length: Math.min(50, connections - clients.length) }, () => new Client(origin));
    await Promise.all(
      some.map(async (client) => (await client.request({ path: '/healthz', method: 'GET' })).body.dump()),
    );
    clients.push(...some);
  }
  return clients;
}

if (require.main === module) {
  arrive(JSON.parse(process.argv[2] as string) as ConstantRateOptions).then((arrived) => {
    process.stdout.write(`${JSON.stringify(arrived)}\n`, () => process.exit(0));
  });
}
