import type { Command } from 'commander';
import { oneOf, wholeNumber } from '../support/arguments';
import type { FarmOptions } from './farm';
import type { MoveBenchOptions } from './move';
import type { AgainstOptions } from './rounds';

interface Seconds {
  readonly seconds: number;
  readonly json: boolean;
}

/** Declares the command `bench` with its benchmarks. */
export function declareBench(program: Command): void {
  const bench = program
    .command('bench')
    .description('Run a benchmark on this machine. Exits with 1 if a goal is missed.')
    .usage('<benchmark> [options]')
    .helpCommand(false);

  const inRounds = (name: string, description: string, measure: (options: AgainstOptions) => Promise<number>) =>
    bench
      .command(name)
      .description(description)
      .option(
        '--rounds <number>',
        'interleaved rounds, after one warm-up round; reports the medians',
        wholeNumber(1, 50),
        5,
      )
      .option('--json', 'print the results as JSON', false)
      .action(async (options: AgainstOptions) => {
        process.exitCode = await measure(options);
      });

  const withAgainst = (command: Command) =>
    command.option('--against <commit>', 'also measure the shop of this commit, in the same rounds');

  inRounds('synth', 'Compare cdk synth of all phases with cdk synth of an empty app', async (options) =>
    (await import('./synth.js')).benchSynth(options),
  );
  withAgainst(
    inRounds(
      'overload',
      'Measure throughput at three times the peak load, with and without load shedding',
      async (options) => (await import('./overload.js')).benchOverload(options),
    ),
  );
  inRounds('wait', 'Measure the latency that Redis WAIT adds to a session write', async (options) =>
    (await import('./wait.js')).benchWait(options),
  );
  withAgainst(
    inRounds('catalogue', 'Compare the cached catalog with bare Express', async (options) =>
      (await import('./bare.js')).benchCatalogue(options),
    ),
  );
  inRounds('edge', 'Compare the catalogue from a local stand-in for CloudFront with bare Express', async (options) =>
    (await import('./edge.js')).benchEdge(options),
  );
  withAgainst(
    inRounds('sessions', 'Compare session reads with express-session and connect-redis', async (options) =>
      (await import('./bare.js')).benchSessions(options),
    ),
  );
  withAgainst(
    inRounds('cold-start', 'Compare the time from spawn to the first response with bare node:http', async (options) =>
      (await import('./cold-start.js')).benchColdStart(options),
    ),
  );

  bench
    .command('farm')
    .description(
      'Measure 1, 2, 5 and 10 servers of 0.1 vCPU behind the load balancer and fit the Universal Scalability Law (8 minutes)',
    )
    .option(
      '--rounds <number>',
      'interleaved rounds, after one warm-up round; reports the medians',
      wholeNumber(1, 50),
      15,
    )
    .option('--against <commit>', 'also measure 1 and 10 servers with the shop of this commit (4 minutes more)')
    .option('--usl <file>', 'write the fitted parameters to this file, for npm run plan')
    .option('--json', 'print the results as JSON', false)
    .action(async (options: FarmOptions) => {
      process.exitCode = await (await import('./farm.js')).benchFarm(options);
    });

  bench
    .command('outage')
    .description('Check the responses while PostgreSQL is down and after its recovery')
    .option('--seconds <number>', 'seconds for which the database is down', wholeNumber(1, 600), 60)
    .option('--json', 'print the results as JSON', false)
    .action(async (options: Seconds) => {
      process.exitCode = await (await import('./outage.js')).benchOutage(options);
    });

  bench
    .command('demand')
    .description('Measure CPU time per request, the input of npm run plan')
    .option('--seconds <number>', 'seconds of load per request type', wholeNumber(1, 600), 5)
    .option('--json', 'print the results as JSON', false)
    .action(async (options: Seconds) => {
      process.exitCode = await (await import('./demand.js')).benchDemand(options);
    });

  bench
    .command('move')
    .description('Move the data to another PostgreSQL under write load; report the pause, lost and duplicated writes')
    .option('--rows <number>', 'orders in the database before the move', wholeNumber(1, 10_000_000), 100_000)
    .option('--writes <number>', 'writes per second', wholeNumber(1, 10_000), 200)
    .option('--runs <number>', 'number of moves, each with a fresh database', wholeNumber(1, 50), 5)
    .option('--kill', 'kill the move at each of its steps and resume it', false)
    .option('--json', 'print the results as JSON', false)
    .action(async (options: MoveBenchOptions) => {
      process.exitCode = await (await import('./move.js')).benchMove(options);
    });

  // Commander gets here only with an unknown name, which `oneOf` rejects.
  const known = bench.commands.map((command) => command.name());
  bench.argument('<benchmark>', 'one of the commands', oneOf(known)).action(() => undefined);
}
