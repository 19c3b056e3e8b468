import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { MoveBenchOptions } from '../lib/bench/move';
import type { AdviseOptions } from '../lib/planner/advise-verb';
import type { CostOptions } from '../lib/planner/cost-verb';
import type { CurveOptions } from '../lib/planner/curve-verb';
import type { PlanOptions } from '../lib/planner/plan-verb';
import type { PricesOptions } from '../lib/planner/prices-verb';
import type { SimulateOptions } from '../lib/planner/simulate-verb';
import { UsageError } from '../lib/usage-error';

/** The command line: `npm run <verb> -- <arguments>`. Each verb loads only what it needs. */
const program = new Command('npm run')
  .description('One web shop from a single server to a multi-region system, phase by phase.')
  .usage('<verb> -- [arguments]')
  .helpCommand(false)
  .configureOutput({
    // One line, also where Commander adds its guess of what was meant.
    outputError: (text, write) => write(text.replace(/^error: /, '').replace(/\n(?=\()/, ' ')),
  });

program
  .command('start')
  .description('Start the shop on this machine in the shape of a phase, and keep its data between runs.')
  .argument('[phase]', 'phase whose shape is started: 1 or 2', oneOf(['1', '2']), '1')
  .option('--port <port>', 'TCP port on loopback', wholeNumber(1, 65535), 8080)
  .option('--fresh', 'throw away the data of earlier runs first')
  .addOption(new Option('--dir <folder>', 'folder that keeps data, secrets and logs').default('.shop'))
  .action(async (phase: '1' | '2', options: { port: number; fresh?: boolean; dir: string }) => {
    const { start } = await import('../lib/rehearsal/start-verb.js');
    await start({
      phase: phase === '1' ? 1 : 2,
      port: options.port,
      fresh: options.fresh ?? false,
      dir: resolve(options.dir),
    });
  });

program
  .command('doctor')
  .description('Say which programs the project can use are here, and the command that installs each that is not.')
  .option('--json', 'print the findings as JSON')
  .action(async (options: { json?: boolean }) => {
    const { doctor } = await import('../lib/doctor.js');
    process.exitCode = doctor({ json: options.json ?? false });
  });

program
  .command('deploy:local')
  .description(
    'Run the real cdk bootstrap and cdk deploy against an AWS emulator on loopback, and show what then exists.',
  )
  .argument(
    '<phase>',
    'stack to deploy: phase-1, phase-2, phase-3 or phase-4',
    oneOf(['phase-1', 'phase-2', 'phase-3', 'phase-4']),
  )
  .option('-c, --context <name=value...>', 'CDK context, handed to cdk as it is, such as size=growth')
  .option('--json', 'print the table as JSON')
  .action(async (phase: string, options: { context?: string[]; json?: boolean }) => {
    const { deployLocally } = await import('../lib/emulator/deploy-verb.js');
    process.exitCode = await deployLocally({ phase, context: options.context ?? [], json: options.json ?? false });
  });

const benches = {
  synth: 'cdk synth of all phases against an empty app',
  overload: 'what is left of the peak at three times as many requests, by who refuses the rest',
  outage: 'what is answered while PostgreSQL is away, and after',
  wait: 'what it costs that a session is saved when a replica of Redis has it',
  catalogue: 'the cached catalogue against bare Express',
  sessions: 'reading a session against Express with express-session and connect-redis',
  'cold-start': 'from spawn to the first answer, against bare node:http',
  demand: 'CPU time of a request, for plans',
  move: 'the data moves to another PostgreSQL under writes: pause, lost, doubled',
} as const;
type BenchName = keyof typeof benches;

program
  .command('bench')
  .description('Measure on this machine, medians of interleaved rounds; exit code 1 when a goal is missed.')
  .argument('<what>', listed(benches), oneOf(Object.keys(benches) as BenchName[]))
  .option('--rounds <number>', 'rounds that count', wholeNumber(1, 50), 5)
  .option(
    '--seconds <number>',
    'outage: how long the database is away (default: 60); demand: of load for each kind of request (default: 5)',
    wholeNumber(1, 600),
  )
  .option('--rows <number>', 'move: orders that are there before', wholeNumber(1, 10_000_000), 100_000)
  .option('--writes <number>', 'move: writes a second', wholeNumber(1, 10_000), 200)
  .option('--runs <number>', 'move: runs', wholeNumber(1, 50), 5)
  .option('--kill', 'move: kill the mover at each of its steps first')
  .option('--json', 'print the figures as JSON')
  .action(async (what: BenchName, { rounds, seconds, json = false, ...size }: BenchArguments) => {
    const bench: Readonly<Record<BenchName, () => Promise<number>>> = {
      synth: async () => (await import('../lib/bench/synth.js')).benchSynth({ rounds, json }),
      overload: async () => (await import('../lib/bench/overload.js')).benchOverload({ rounds, json }),
      outage: async () => (await import('../lib/bench/outage.js')).benchOutage({ seconds: seconds ?? 60, json }),
      wait: async () => (await import('../lib/bench/wait.js')).benchWait({ rounds, json }),
      catalogue: async () => (await import('../lib/bench/bare.js')).benchCatalogue({ rounds, json }),
      sessions: async () => (await import('../lib/bench/bare.js')).benchSessions({ rounds, json }),
      'cold-start': async () => (await import('../lib/bench/cold-start.js')).benchColdStart({ rounds, json }),
      demand: async () => (await import('../lib/bench/demand.js')).benchDemand({ seconds: seconds ?? 5, json }),
      move: async () => (await import('../lib/bench/move.js')).benchMove({ ...size, json }),
    };
    process.exitCode = await bench[what]();
  });

program
  .command('evolution')
  .description(
    'What CloudFormation would do to each resource between two phases; exit code 1 when state would be lost.',
  )
  .argument('[phases...]', 'the phase before and the phase after; or, with --against or --deployed, the one after')
  .option('--before <path>', 'template, or output folder of cdk synth, of any app')
  .option('--after <path>', 'the same after the change')
  .option('--stack <id>', 'stack to compare in an output folder with several')
  .option('--allow <file>', 'with --before: what may leave and why, as JSON')
  .option('--against <path>', 'template, or output folder of cdk synth, that is deployed elsewhere')
  .option('--deployed [stack]', 'the stack that runs, by the AWS credentials of the environment')
  .option('-c, --context <name=value...>', 'CDK context, handed to cdk as it is, such as domainName=shop.example.com')
  .addOption(new Option('--json', 'print everything as JSON').conflicts('markdown'))
  .option('--markdown', 'print tables as Markdown, for a comment on a pull request')
  .action(async (phases: string[], options: EvolutionArguments) => {
    const { evolution } = await import('../lib/evolution/verb.js');
    const { json, markdown, deployed, context, ...rest } = options;
    process.exitCode = await evolution({
      ...rest,
      phases,
      deployed: deployed === true ? 'shop' : deployed,
      context: context ?? [],
      format: json ? 'json' : markdown ? 'markdown' : 'text',
    });
  });

interface EvolutionArguments {
  readonly before?: string;
  readonly after?: string;
  readonly stack?: string;
  readonly allow?: string;
  readonly against?: string;
  readonly deployed?: string | true;
  readonly context?: string[];
  readonly json?: boolean;
  readonly markdown?: boolean;
}

withTraffic(
  program
    .command('cost')
    .description('The monthly bill of a synthesized template: priced, by usage, free, unpriced. Nothing is deployed.')
    .argument('<what>', 'phase-N, a template file, or a folder that cdk synth wrote')
    .option('--against <what>', 'compare with the bill of another')
    .option('--stack <id>', 'the one stack of the folder that is meant')
    .option('-c, --context <name=value...>', 'CDK context of the phase, such as size=growth')
    .option('--parameter <name=value...>', 'parameters of the template')
    .option(
      '--instances <name=number...>',
      'sizes of Auto Scaling groups, such as ElasticFleet=8 (default: their least)',
    )
    .option('--budget <usd>', 'exit code 1 when the bill is above it', number(0, 1e12)),
)
  .option('--rps <number>', 'requests/s at the peak; without it, what is billed by use has no sum', number(0, 1e9))
  .option('--region <region>', 'region whose prices count', 'us-east-1')
  .addOption(new Option('--json', 'print the bill as JSON').conflicts('markdown'))
  .option('--markdown', 'print the bill as Markdown')
  .action(async (what: string, options: Omit<CostOptions, 'what'>) => {
    const { cost } = await import('../lib/planner/cost-verb.js');
    process.exitCode = await cost({ what, ...options });
  });

withTraffic(
  program
    .command('plan')
    .description('The phase for some traffic, how much of what, why, and its bill. Exit code 1 when no phase holds it.')
    .requiredOption(
      '--rps <number>',
      'requests/s of visitors at the peak, static files among them',
      number(0.001, 1e9),
    ),
)
  .option('--cache-hit-ratio <share>', 'catalogue reads that the caches answer (default: 0.8)', number(0, 1))
  .option('--utilization <share>', 'CPU that a tier is used to at the peak (default: 0.6)', number(0.05, 0.95))
  .option('--job-seconds <seconds>', 'CPU time of a background job (default: 0.05)', number(0, 3600))
  .addOption(
    new Option('--survive <what>', 'what must be lost without an outage')
      .choices(['nothing', 'server', 'zone'])
      .default('nothing'),
  )
  .option('--usl <file>', 'a measured scalability law, {"usl":{"lambda","sigma","kappa"}}')
  .option('--demand <file>', 'CPU time of requests, as "npm run bench -- demand --json" prints it')
  .option('--region <region>', 'region whose prices count', 'us-east-1')
  .option('--json', 'print plan and bill as JSON')
  .action(async (options: PlanOptions) => {
    const { plan } = await import('../lib/planner/plan-verb.js');
    process.exitCode = await plan(options);
  });

program
  .command('curve')
  .description('What machines cost at 1K to 1M requests/s, one box against many, as a table and as SVG.')
  .option('--out <file>', 'the SVG', 'docs/pictures/cost-curve.svg')
  .option('--region <region>', 'region whose prices count', 'us-east-1')
  .option('--json', 'print the figures as JSON')
  .action(async (options: CurveOptions) => {
    const { curve } = await import('../lib/planner/curve-verb.js');
    process.exitCode = curve(options);
  });

program
  .command('prices')
  .description('What the table of prices has, from where, and how old it is.')
  .option('--refresh', 'read it anew from the AWS price list, which needs AWS credentials')
  .option('--region <region>', 'whose prices; with --refresh also of a region without a table yet', 'us-east-1')
  .option('--json', 'print the prices as JSON')
  .action(async (options: PricesOptions) => {
    const { prices } = await import('../lib/planner/prices-verb.js');
    await prices(options);
  });

/** The options by which a verb is told of the traffic. */
function withTraffic(verb: Command): Command {
  return verb
    .option('--peak-to-average <ratio>', 'the peak over the mean of a month', number(1, 1000))
    .option('--response-bytes <bytes>', 'a mean answer', number(1, 1e9))
    .option('--edge-hit-ratio <share>', 'requests that an edge cache answers', number(0, 1))
    .option('--write-ratio <share>', 'requests that write', number(0, 1))
    .option('--data-gib <gib>', 'what the database holds', number(0, 1e6));
}

program
  .command('simulate')
  .description("Replay a template's scaling policies against traffic: capacity and demand, dropped requests, bill.")
  .option('--phase <number>', 'phase whose template is read: 3 or 4', oneOf(['3', '4']), '4')
  .option('-c, --context <name=value...>', 'CDK context for the phase, such as maxServers=200')
  .option('--template <path>', 'read this instead: a JSON template, or a folder that cdk synth wrote')
  .option('--stack <id>', 'stack of that folder')
  .option('--group <id>', 'logical id of the Auto Scaling group, or a part of it (default: the one behind a balancer)')
  .option('--traffic <name>', 'steady, daily, spike, black-friday, or a CSV file with time,rps', 'daily')
  .option('--rps <number>', 'ordinary traffic, requests a second (default: what suits the group)', number(0))
  .option('--days <number>', 'length of the traffic (default: its own)', wholeNumber(1, 3660))
  .option(
    '--server-rps <number>',
    'requests a second of one server at 100% CPU (default: from its targets)',
    number(0.001),
  )
  .option('--servers <number>', 'servers at the start (default: as the template says)', wholeNumber(0, 100_000))
  .option('--profile <name>', 'service whose habits are followed: ec2 or ecs', oneOf(['ec2', 'ecs']), 'ec2')
  .option('--boot <seconds>', 'from the start of a server until it is in service', number(0))
  .option('--app-start <seconds>', 'from there until the app answers (default: 60)', number(0))
  .option('--metric-delay <seconds>', 'by which metrics are late (default: 60)', number(0))
  .option('--cooldown <seconds>', 'cool-down of simple policies, shown next to 300', number(0))
  .option('--warmup <seconds>', 'warm-up of all other policies (default: as the template says)', number(0))
  .option('--spot-loss <percent>', 'spot servers taken back a month (default: by the spot advisor)', number(0, 100))
  .option('--spot-sweep <minute>', 'minute at which all spot servers are taken back at once', wholeNumber(0, 5_270_400))
  .option('--forecast <file>', 'CSV file with time,rps for predictive scaling (default: a stand-in)')
  .option('--region <name>', 'region of the prices', 'us-east-1')
  .option('--price-per-hour <usd>', 'of a server on demand (default: from the table of prices)', number(0))
  .option('--spot-price-per-hour <usd>', 'of a spot server (default: from the table of prices)', number(0))
  .option('--seed <number>', 'of all that is random', wholeNumber(0, 2 ** 32 - 1), 1)
  .option('--svg <file>', 'write a chart')
  .option('--json', 'print the figures as JSON')
  .action(async (options: Omit<SimulateOptions, 'context' | 'json'> & { context?: string[]; json?: boolean }) => {
    const { simulateVerb } = await import('../lib/planner/simulate-verb.js');
    await simulateVerb({ ...options, context: options.context ?? [], json: options.json ?? false });
  });

program
  .command('advise')
  .description('Read CloudWatch, and name the next wall of a running stack and the phase that removes it, or say stay.')
  .option('--stack <name>', 'CloudFormation stack', 'shop')
  .option('--region <name>', "region of the stack (default: AWS_REGION, or the profile's)")
  .option('--days <number>', 'how far back to look', wholeNumber(1, 455), 14)
  .option('--until <time>', 'end of the time that is looked at (default: now)')
  .option('--period <seconds>', 'of a point, in whole minutes', wholeMinutes, 300)
  .option('--phase <number>', 'phase that runs (default: what the stack says)', wholeNumber(1, 5))
  .option('--from <file>', 'read recorded metrics instead: a CSV file with time,metric,value')
  .option('--database-class <class>', 'with --from: db.m7g.large, for the limits of the database')
  .option('--cache-type <type>', 'with --from: cache.t4g.small, for the limits of the cache')
  .option('--json', 'print the findings as JSON')
  .action(async (options: Omit<AdviseOptions, 'json'> & { json?: boolean }) => {
    const { adviseVerb } = await import('../lib/planner/advise-verb.js');
    await adviseVerb({ ...options, json: options.json ?? false });
  });

interface BenchArguments extends MoveBenchOptions {
  readonly rounds: number;
  readonly seconds?: number;
  readonly json?: boolean;
}

function listed(of: Readonly<Record<string, string>>): string {
  return Object.entries(of)
    .map(([name, what]) => `${name}: ${what}`)
    .join('; ');
}

function oneOf<T extends string>(allowed: readonly T[]): (value: string) => T {
  return (value) => {
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw new InvalidArgumentError(`Allowed: ${allowed.join(', ')}.`);
    return found;
  };
}

function wholeNumber(from: number, to: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < from || number > to) {
      throw new InvalidArgumentError(`Allowed: a whole number from ${from} to ${to}.`);
    }
    return number;
  };
}

function number(from: number, to = Number.POSITIVE_INFINITY): (value: string) => number {
  return (value) => {
    const parsed = Number(value);
    if (value.trim() === '' || !Number.isFinite(parsed) || parsed < from || parsed > to) {
      throw new InvalidArgumentError(`Allowed: a number from ${from}${Number.isFinite(to) ? ` to ${to}` : ''}.`);
    }
    return parsed;
  };
}

function wholeMinutes(value: string): number {
  const seconds = Number(value);
  if (!/^\d+$/.test(value) || seconds === 0 || seconds > 86_400 || seconds % 60 !== 0) {
    throw new InvalidArgumentError('Allowed: 60 and its multiples up to 86400.');
  }
  return seconds;
}

const BAD_INPUT = 2;

for (const command of [program, ...program.commands]) command.exitOverride();
for (const verb of program.commands) verb.usage(`-- ${verb.usage()}`);

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    // Commander has printed its line already; asking for help is no error.
    process.exitCode = error.exitCode === 0 ? 0 : BAD_INPUT;
  } else if (error instanceof UsageError) {
    console.error(error.message);
    process.exitCode = BAD_INPUT;
  } else {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
});
