import { type Command, InvalidArgumentError, Option } from 'commander';
import { number, oneOf, wholeNumber } from '../../support/arguments';
import type { AdviseOptions } from './advise-command';
import type { CostOptions } from './cost-command';
import type { CurveOptions } from './curve-command';
import type { PlanOptions } from './plan-command';
import type { PricesOptions } from './prices-command';
import type { SimulateOptions } from './simulate-command';

/** Declares the verbs that give figures before a deploy: `cost`, `plan`, `curve`, `prices`, `simulate` and `advise`. */
export function declarePlanner(program: Command): void {
  withTraffic(
    program
      .command('cost')
      .description('The monthly bill of a synthesized template: priced, by usage, free, unpriced. Nothing is deployed.')
      .argument('<what>', 'phase-N, a template as JSON or YAML, or a folder that cdk synth wrote')
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
      const { cost } = await import('./cost-command.js');
      process.exitCode = await cost({ what, ...options });
    });

  withTraffic(
    program
      .command('plan')
      .description(
        'The phase for some traffic, how much of what, why, and its bill. Exit code 1 when no phase holds it.',
      )
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
      const { plan } = await import('./plan-command.js');
      process.exitCode = await plan(options);
    });

  program
    .command('curve')
    .description('What machines cost at 1K to 1M requests/s, one box against many, as a table and as SVG.')
    .option('--out <file>', 'the SVG', 'docs/pictures/cost-curve.svg')
    .option('--region <region>', 'region whose prices count', 'us-east-1')
    .option('--json', 'print the figures as JSON')
    .action(async (options: CurveOptions) => {
      const { curve } = await import('./curve-command.js');
      process.exitCode = curve(options);
    });

  program
    .command('prices')
    .description('What the table of prices has, from where, and how old it is.')
    .option('--refresh', 'read it anew from the AWS price list, which needs AWS credentials')
    .option('--region <region>', 'whose prices; with --refresh also of a region without a table yet', 'us-east-1')
    .option('--json', 'print the prices as JSON')
    .action(async (options: PricesOptions) => {
      const { prices } = await import('./prices-command.js');
      await prices(options);
    });

  program
    .command('simulate')
    .description("Replay a template's scaling policies against traffic: capacity and demand, dropped requests, bill.")
    .option('--phase <number>', 'phase whose template is read: 3 or 4', oneOf(['3', '4']), '4')
    .option('-c, --context <name=value...>', 'CDK context for the phase, such as maxServers=200')
    .option('--template <path>', 'read this instead: a template as JSON or YAML, or a folder that cdk synth wrote')
    .option('--stack <id>', 'stack of that folder; nested in another, shop/Web')
    .option(
      '--group <id>',
      'logical id of the Auto Scaling group, or a part of it (default: the one behind a balancer)',
    )
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
    .option(
      '--spot-sweep <minute>',
      'minute at which all spot servers are taken back at once',
      wholeNumber(0, 5_270_400),
    )
    .option('--forecast <file>', 'CSV file with time,rps for predictive scaling (default: a stand-in)')
    .option('--region <name>', 'region of the prices', 'us-east-1')
    .option('--price-per-hour <usd>', 'of a server on demand (default: from the table of prices)', number(0))
    .option('--spot-price-per-hour <usd>', 'of a spot server (default: from the table of prices)', number(0))
    .option('--seed <number>', 'of all that is random', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--svg <file>', 'write a chart')
    .option('--json', 'print the figures as JSON')
    .action(async (options: Omit<SimulateOptions, 'context' | 'json'> & { context?: string[]; json?: boolean }) => {
      const { simulateCommand } = await import('./simulate-command.js');
      await simulateCommand({ ...options, context: options.context ?? [], json: options.json ?? false });
    });

  program
    .command('advise')
    .description(
      'Read CloudWatch, and name the next wall of a running stack and the phase that removes it, or say stay.',
    )
    .option('--stack <name>', 'CloudFormation stack', 'shop')
    .option('--region <name>', "region of the stack (default: AWS_REGION, or the profile's)")
    .option('--days <number>', 'how far back to look', wholeNumber(1, 455), 14)
    .option('--until <time>', 'end of the time that is looked at (default: now)')
    .option('--period <seconds>', 'of a point, in whole minutes', wholeMinutes, 300)
    .option('--phase <number>', 'phase that runs (default: what the stack says)', wholeNumber(1, 5))
    .option('--from <file>', 'read recorded metrics instead: a CSV file with time,metric,value')
    .option('--database-class <class>', 'with --from: db.m7g.large, for the limits of the database')
    .option(
      '--latency-objective <ms>',
      'what the 99th percentile of answers should stay below, with a balancer (default: it is not judged)',
      number(1, 60_000),
    )
    .option('--cache-type <type>', 'with --from: cache.t4g.small, for the limits of the cache')
    .option('--json', 'print the findings as JSON')
    .action(async (options: Omit<AdviseOptions, 'json'> & { json?: boolean }) => {
      const { adviseCommand } = await import('./advise-command.js');
      await adviseCommand({ ...options, json: options.json ?? false });
    });
}

/** The options by which a verb is told of the traffic. */
function withTraffic(verb: Command): Command {
  return verb
    .option('--peak-to-average <ratio>', 'the peak over the mean of a month', number(1, 1000))
    .option('--response-bytes <bytes>', 'a mean answer', number(1, 1e9))
    .option('--edge-hit-ratio <share>', 'requests that an edge cache answers', number(0, 1))
    .option('--write-ratio <share>', 'requests that write', number(0, 1))
    .option('--data-gib <gib>', 'what the database holds', number(0, 1e6));
}

function wholeMinutes(value: string): number {
  const seconds = Number(value);
  if (!/^\d+$/.test(value) || seconds === 0 || seconds > 86_400 || seconds % 60 !== 0) {
    throw new InvalidArgumentError('Allowed: 60 and its multiples up to 86400.');
  }
  return seconds;
}
