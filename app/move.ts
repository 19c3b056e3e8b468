import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { moveEnvironment } from './config';
import { takeBack } from './move/back';
import { MoveError, WritesPaused } from './move/errors';
import { preflight } from './move/preflight';
import { Progress } from './move/progress';
import { move } from './move/run';
import { openSession } from './move/session';
import { Source } from './move/source';
import { stepOf, Target } from './move/target';
import { readConfiguration, refuse } from './process/refusal';
import { resolveDatabase } from './process/secrets';

const USAGE = `node move.js VERB [--json] [--max-pause SECONDS]

Moves the shop's data from one PostgreSQL to another while the shop goes on, with a pause of the writes in seconds.

  prepare  looks for what would stop the move, makes the tables of the target, and closes it: until the move is done,
           an app that is started on it waits
  run      copies, follows, compares, pauses writes, compares again, opens the target. Start the app on the target then.
           To be repeated after whatever cut it off
  back     gives the move up: the source takes writes again. Once the target has taken some, it refuses
  status   prints none, closed, copied or open: how far the target of the environment is

  --json               a JSON object a line: step and seconds; while it copies table, rows, bytes and size (on disk);
                       at the end of run moved, with pauseSeconds, followed (transactions that were repeated after the
                       copy) and tables (table, rows, checksum)
  --max-pause SECONDS  with run: a longer pause of the writes is given up (default 10, from 0.1 to 3600)

Environment: MOVE_FROM_URL (a superuser of the source; not for status), and the target as the app will reach it:
DATABASE_URL or DATABASE_SECRET_ARN.

Exit codes: 0 done; 1 not done, and the source goes on; 2 bad input; 3 status: the target waits for its data;
4 not done, and writes are still paused: repeat run, or back.`;

const MIGRATIONS_DIR = join(__dirname, 'migrations');

const VERBS = ['prepare', 'run', 'back', 'status'] as const;

// Whoever listened may go; the move goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

main().catch((error: Error) => {
  console.error(error instanceof MoveError ? error.message : error);
  process.exitCode = error instanceof WritesPaused ? 4 : 1;
});

async function main(): Promise<void> {
  const { verb, json, maxPause } = readArguments();
  const config = readConfiguration(moveEnvironment);
  const to = await resolveDatabase(config.to);
  if (verb === 'status') return status(to);
  const from = { connectionString: config.from ?? refuse('MOVE_FROM_URL: must be set') };
  const progress = new Progress(json, console.log);

  if (verb === 'back') {
    await takeBack({ from, to });
    return progress.tell({ takenBack: true }, 'the move is given up: the source takes writes');
  }
  if (verb === 'prepare') return prepare(from, to, progress);
  const signal = stopSignal();
  const moved = await move({ from, to, migrationsDir: MIGRATIONS_DIR, maxPause, progress, signal });
  const pause = moved.pauseSeconds === undefined ? '' : ` after a pause of ${moved.pauseSeconds} s`;
  progress.tell({ moved }, `the target is open${pause}; the source stays read-only. Start the app on the target`);
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: 'boolean' }, 'max-pause': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const verb = VERBS.find((one) => one === positionals[0]);
    if (verb === undefined || positionals.length > 1) {
      return refuse(`"${positionals.join(' ')}": must be one of ${VERBS.join(', ')} (--help says what they do)`);
    }
    const maxPause = Number(values['max-pause'] ?? 10);
    if (!(maxPause >= 0.1 && maxPause <= 3600)) {
      return refuse(`--max-pause ${values['max-pause']}: must be a number from 0.1 to 3600 (seconds)`);
    }
    return { verb, json: values.json ?? false, maxPause };
  } catch (error) {
    return refuse((error as Error).message);
  }
}

async function prepare(from: Parameters<typeof Source.open>[0], to: typeof from, progress: Progress): Promise<void> {
  const source = await Source.open(from);
  try {
    const target = await Target.open(to);
    try {
      if ((await target.step()) === 'open') throw new MoveError('the target is open already: run finishes the move');
      progress.step('check');
      await preflight(source, target);
      progress.step('schema');
      await target.prepare(MIGRATIONS_DIR);
      progress.tell({ prepared: true }, 'the target is closed until the data is there');
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function status(to: Parameters<typeof openSession>[0]): Promise<void> {
  const session = await openSession(to);
  try {
    const step = await stepOf(session);
    console.log(step ?? 'none');
    if (step === 'closed' || step === 'copied') process.exitCode = 3;
  } finally {
    await session.end();
  }
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => controller.abort());
  return controller.signal;
}
