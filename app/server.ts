import cluster from 'node:cluster';
import { join } from 'node:path';
import { SqsClient } from './jobs/queue';
import { openLog } from './process/log';
import type { FromPrimary, FromWorker } from './process/messages';
import { prepareDatabase } from './process/prepare';
import { killWorkers, runPrimary } from './process/primary';
import { readEnvironment, refuse } from './process/refusal';
import { resolveSecrets, type Secrets } from './process/secrets';
import type { Serving } from './process/serve';
import { waitOutSpotNotice, watchForSpotNotice } from './process/spot';
import { onStopRequest } from './process/stop-requests';

/** Set by the bundler: a hash of the bundle's content. */
declare const __VERSION__: string | undefined;
const VERSION = typeof __VERSION__ === 'string' ? __VERSION__ : 'dev';

/** What lies beside this script. */
const PUBLIC_DIR = join(__dirname, 'public');
const MIGRATIONS_DIR = join(__dirname, 'migrations');

const config = readEnvironment();
const log = openLog({ level: config.logLevel, base: { pid: process.pid, server: config.serverName } });

main().catch((error) => {
  log.fatal({ err: error }, 'the shop cannot start');
  killWorkers();
  process.exit(1);
});

async function main(): Promise<void> {
  if (cluster.isWorker) return work(await resolveSecrets(config));
  if (config.sessionStore === 'memory' && config.webConcurrency * config.maxServers > 1) {
    log.warn('SESSION_STORE=memory with more than one process: visitors lose their sessions at random');
  }
  await waitOutSpotNotice(config, log);
  watchForSpotNotice(config, log);
  const secrets = await resolveSecrets(config);
  const prepare = () => prepareDatabase(config, secrets.database, MIGRATIONS_DIR, log);
  if (config.webConcurrency === 1) return serveAlone(secrets, prepare);
  await runPrimary({ workers: config.webConcurrency, log, prepare, onReady: announce, onRefused: refuseWithWorkers });
}

async function serveAlone(secrets: Secrets, prepare: () => Promise<number>): Promise<void> {
  const serving = await assemble(secrets);
  onStopRequest(() => serving.stop());
  const port = await serving.listen().catch((error) => refuse(portProblem(error)));
  serving.begin(await prepare());
  announce(port);
}

async function assemble(secrets: Secrets): Promise<Serving> {
  const queue = config.queueUrl === undefined ? undefined : await SqsClient.open(config.queueUrl);
  // Where workers serve, the primary needs none of it.
  const { createServing } = await import('./process/serve.js');
  return createServing({ config, secrets, queue, publicDir: PUBLIC_DIR, version: VERSION, log });
}

async function work(secrets: Secrets): Promise<void> {
  const serving = await assemble(secrets);
  const tell = (message: FromWorker) => process.send?.(message);
  let port = 0;
  process.on('message', (message: FromPrimary) => {
    if (message.type === 'prepared') {
      serving.begin(message.poolSize);
      tell({ type: 'ready', port });
    } else if (message.type === 'stop') {
      serving.stop().then(() => process.exit(0));
    }
  });
  // When the primary dies, the cluster module ends this process at once.
  onStopRequest(() => serving.stop());
  port = await serving.listen().catch((error) => {
    tell({ type: 'refused', line: portProblem(error) });
    return new Promise<never>(() => {});
  });
  tell({ type: 'listening' });
}

function announce(port: number): void {
  log.info({ port, phase: config.phase, processes: config.webConcurrency, version: VERSION }, 'the shop is ready');
  process.send?.({ type: 'ready', port });
}

/** The workers would go on without this process. */
function refuseWithWorkers(lines: string): never {
  killWorkers();
  refuse(lines);
}

function portProblem(error: NodeJS.ErrnoException): string {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another process listens there',
    EACCES: 'this user may not listen there',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'there is no such host',
  };
  const reason = reasons[error.code ?? ''];
  if (reason === undefined) throw error;
  return `PORT=${config.port}, HOST=${config.host}: ${reason}`;
}
