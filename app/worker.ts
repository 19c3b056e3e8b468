import { join } from 'node:path';
import { SqsClient } from './jobs/queue';
import { CONCURRENCY, QueueWorker } from './jobs/queue-worker';
import { openLog } from './process/log';
import { openPrimary } from './process/open-primary';
import { prepareDatabase } from './process/prepare';
import { readEnvironment, refuse } from './process/refusal';
import { resolveSecrets } from './process/secrets';
import { waitOutSpotNotice, watchForSpotNotice } from './process/spot';
import { onStopRequest } from './process/stop-requests';

const MIGRATIONS_DIR = join(__dirname, 'migrations');

const config = readEnvironment();
const log = openLog({ level: config.logLevel, base: { pid: process.pid, server: config.serverName } });

main(config.queueUrl ?? refuse('QUEUE_URL must be set for a worker.')).catch((error) => {
  log.fatal({ err: error }, 'the worker cannot start');
  process.exit(1);
});

/** Runs background jobs from the queue. Opens no port. */
async function main(queueUrl: string): Promise<void> {
  await waitOutSpotNotice(config, log);
  const { database: settings } = await resolveSecrets(config);
  await prepareDatabase(config, settings, MIGRATIONS_DIR, log);
  const database = openPrimary(config, settings, (error) => log.warn({ err: error }, 'an idle connection broke'));
  database.resize(CONCURRENCY);
  const queue = await SqsClient.open(queueUrl);
  const worker = new QueueWorker(queue, await queue.visibilityTimeout(), database, log);
  worker.start();
  onStopRequest(async () => {
    await worker.stop();
    queue.close();
    await database.close();
  });
  watchForSpotNotice(config, log);
  log.info({ phase: config.phase }, 'the worker is ready');
  process.send?.({ type: 'ready', port: 0 });
}
