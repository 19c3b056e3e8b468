import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { moveEnvironment } from './config';
import { rollBack } from './move/back';
import { MoveError, WritesPaused } from './move/errors';
import { preflight } from './move/preflight';
import { Progress } from './move/progress';
import { move } from './move/run';
import { openSession } from './move/session';
import { Source } from './move/source';
import { stepOf, Target } from './move/target';
import { readConfiguration, refuse } from './process/refusal';
import { resolveDatabase } from './process/secrets';

const USAGE = `node move.js COMMAND [--json] [--max-pause SECONDS]

Move the shop's data from one PostgreSQL to another while the shop runs. Writes pause for seconds.

  prepare  check the requirements, create the tables of the target, and close it: an app that starts on it waits until
           the move is done
  run      copy, replay, compare, pause writes, compare again, open the target. Then start the app on the target.
           Repeat it after an interruption
  back     roll the move back: the source accepts writes again. Fails once the target has accepted writes
  status   print the state of the target: none, closed, copied or open

  --json               print one JSON object per line: step and seconds; during the copy also table, rows, bytes and
                       size (on disk); at the end of run also moved, with pauseSeconds, followed (transactions
                       replayed after the copy) and tables (table, rows, checksum)
  --max-pause SECONDS  with run: abort a longer pause of the writes (0.1 to 3600, default 10)

Environment: MOVE_FROM_URL (source, with a superuser; not for status), and DATABASE_URL or DATABASE_SECRET_ARN (target,
with the user of the app).

Exit codes: 0 done; 1 failed, and the source accepts writes; 2 bad input; 3 status: the target waits for its data;
4 failed, and writes are still paused: repeat run, or use back.`;

const MIGRATIONS_DIR = join(__dirname, 'migrations');

const COMMANDS = ['prepare', 'run', 'back', 'status'] as const;

// Without these listeners, a closed pipe would end the move.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

main().catch((error: Error) => {
  console.error(error instanceof MoveError ? error.message : error);
  process.exitCode = error instanceof WritesPaused ? 4 : 1;
});

async function main(): Promise<void> {
  const { command, json, maxPause } = readArguments();
  const config = readConfiguration(moveEnvironment);
  const to = await resolveDatabase(config.to);
  if (command === 'status') return status(to);
  const from = { connectionString: config.from ?? refuse('MOVE_FROM_URL must be set.') };
  const progress = new Progress(json, console.log);

  if (command === 'back') {
    await rollBack({ from, to });
    return progress.report({ takenBack: true }, 'the move is rolled back: the source accepts writes');
  }
  if (command === 'prepare') return prepare(from, to, progress);
  const signal = stopSignal();
  const moved = await move({ from, to, migrationsDir: MIGRATIONS_DIR, maxPause, progress, signal });
  const pause = moved.pauseSeconds === undefined ? '' : ` after a pause of ${moved.pauseSeconds} s`;
  progress.report({ moved }, `the target is open${pause}; the source stays read-only. Start the app on the target`);
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
    const command = COMMANDS.find((one) => one === positionals[0]);
    if (command === undefined || positionals.length > 1) {
      return refuse(`COMMAND must be one of ${COMMANDS.join(', ')}, got "${positionals.join(' ')}". See --help.`);
    }
    const maxPause = Number(values['max-pause'] ?? 10);
    if (!(maxPause >= 0.1 && maxPause <= 3600)) {
      return refuse(`--max-pause must be a number from 0.1 to 3600 (seconds), got ${values['max-pause']}.`);
    }
    return { command, json: values.json ?? false, maxPause };
  } catch (error) {
    return refuse((error as Error).message);
  }
}

async function prepare(from: Parameters<typeof Source.open>[0], to: typeof from, progress: Progress): Promise<void> {
  const source = await Source.open(from);
  try {
    const target = await Target.open(to);
    try {
      if ((await target.step()) === 'open')
        throw new MoveError('the target is already open: use run to finish the move');
      progress.step('check');
      await preflight(source, target);
      progress.step('schema');
      await target.prepare(MIGRATIONS_DIR);
      progress.report({ prepared: true }, 'the target is closed until the move is done');
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
