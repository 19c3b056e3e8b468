import type { Command } from 'commander';
import { oneOf, wholeNumber } from '../support/arguments';
import type { FarmOptions } from './farm';
import type { MoveBenchOptions } from './move';

interface Rounds {
  readonly rounds: number;
  readonly json: boolean;
}

interface Seconds {
  readonly seconds: number;
  readonly json: boolean;
}

/** Declares the verb `bench`, and what it can measure. */
export function declareBench(program: Command): void {
  const bench = program
    .command('bench')
    .description('Measure on this machine; exit code 1 when a goal is missed.')
    .usage('<what> [options]')
    .helpCommand(false);

  const inRounds = (what: string, description: string, measure: (options: Rounds) => Promise<number>) =>
    bench
      .command(what)
      .description(description)
      .option(
        '--rounds <number>',
        'interleaved rounds that count; the figures are their medians',
        wholeNumber(1, 50),
        5,
      )
      .option('--json', 'print the figures as JSON', false)
      .action(async (options: Rounds) => {
        process.exitCode = await measure(options);
      });

  inRounds('synth', 'cdk synth of all phases against an empty app', async (options) =>
    (await import('./synth.js')).benchSynth(options),
  );
  inRounds(
    'overload',
    'what is left of the peak at three times as many requests, by who refuses the rest',
    async (options) => (await import('./overload.js')).benchOverload(options),
  );
  inRounds('wait', 'what it costs that a session is saved when a replica of Redis has it', async (options) =>
    (await import('./wait.js')).benchWait(options),
  );
  inRounds('catalogue', 'the cached catalogue against bare Express', async (options) =>
    (await import('./bare.js')).benchCatalogue(options),
  );
  inRounds('edge', "the catalogue from the cache in CloudFront's place against bare Express", async (options) =>
    (await import('./edge.js')).benchEdge(options),
  );
  inRounds('sessions', 'reading a session against Express with express-session and connect-redis', async (options) =>
    (await import('./bare.js')).benchSessions(options),
  );
  inRounds('cold-start', 'from spawn to the first answer, against bare node:http', async (options) =>
    (await import('./cold-start.js')).benchColdStart(options),
  );

  bench
    .command('farm')
    .description(
      'what 1, 2, 5 and 10 servers of 0.1 vCPU carry behind the balancer, and the law that fits it (8 minutes)',
    )
    .option('--rounds <number>', 'interleaved rounds that count; the figures are their medians', wholeNumber(1, 50), 15)
    .option('--usl <file>', 'write the fit, for npm run plan')
    .option('--json', 'print the figures as JSON', false)
    .action(async (options: FarmOptions) => {
      process.exitCode = await (await import('./farm.js')).benchFarm(options);
    });

  bench
    .command('outage')
    .description('what is answered while PostgreSQL is away, and after')
    .option('--seconds <number>', 'how long the database is away', wholeNumber(1, 600), 60)
    .option('--json', 'print the figures as JSON', false)
    .action(async (options: Seconds) => {
      process.exitCode = await (await import('./outage.js')).benchOutage(options);
    });

  bench
    .command('demand')
    .description('CPU time of a request, for plans')
    .option('--seconds <number>', 'of load for each kind of request', wholeNumber(1, 600), 5)
    .option('--json', 'print the figures as JSON', false)
    .action(async (options: Seconds) => {
      process.exitCode = await (await import('./demand.js')).benchDemand(options);
    });

  bench
    .command('move')
    .description('the data moves to another PostgreSQL under writes: pause, lost, doubled')
    .option('--rows <number>', 'orders that are there before', wholeNumber(1, 10_000_000), 100_000)
    .option('--writes <number>', 'writes a second', wholeNumber(1, 10_000), 200)
    .option('--runs <number>', 'moves, each of a fresh database', wholeNumber(1, 50), 5)
    .option('--kill', 'kill the mover at each of its steps first', false)
    .option('--json', 'print the figures as JSON', false)
    .action(async (options: MoveBenchOptions) => {
      process.exitCode = await (await import('./move.js')).benchMove(options);
    });

  // Only what is no command gets here, and is refused.
  const known = bench.commands.map((command) => command.name());
  bench.argument('<what>', 'what is measured, one of the commands', oneOf(known)).action(() => undefined);
}
