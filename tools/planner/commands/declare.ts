import { type Command, InvalidArgumentError, Option } from 'commander';
import { number, oneOf, wholeNumber } from '../../support/arguments';
import type { AdviseOptions } from './advise-command';
import type { CostOptions } from './cost-command';
import type { CurveOptions } from './curve-command';
import type { PlanOptions } from './plan-command';
import type { PricesOptions } from './prices-command';
import type { SimulateOptions } from './simulate-command';

/** Declares the commands `cost`, `plan`, `curve`, `prices`, `simulate` and `advise`. */
export function declarePlanner(program: Command): void {
  withTraffic(
    program
      .command('cost')
      .description('Calculate the monthly bill of a synthesized template. Nothing is deployed.')
      .argument('<what>', 'phase-N, a JSON or YAML template, or a cloud assembly (cdk.out)')
      .option('--against <what>', 'compare with the bill of another source')
      .option('--stack <id>', 'stack in that folder (default: all)')
      .option('-c, --context <name=value...>', 'set CDK context of the phase, such as size=growth')
      .option('--parameter <name=value...>', 'set template parameters')
      .option(
        '--instances <name=number...>',
        'set sizes of Auto Scaling groups, such as ElasticFleet=8 (default: desired or minimum)',
      )
      .option('--budget <usd>', 'exit with code 1 when the bill exceeds this amount', number(0, 1e12)),
  )
    .option('--rps <number>', 'requests/s at the peak (default: usage charges are not calculated)', number(0, 1e9))
    .option('--region <region>', 'region of the prices', 'us-east-1')
    .addOption(new Option('--json', 'print the bill as JSON').conflicts('markdown'))
    .option('--markdown', 'print the bill as Markdown')
    .action(async (what: string, options: Omit<CostOptions, 'what'>) => {
      const { cost } = await import('./cost-command.js');
      process.exitCode = await cost({ what, ...options });
    });

  withTraffic(
    program
      .command('plan')
      .description('Recommend phase, sizes and cost for expected traffic. Exit code 1 when no phase is sufficient.')
      .requiredOption('--rps <number>', 'requests/s at the peak, including static files', number(0.001, 1e9)),
  )
    .option('--cache-hit-ratio <share>', 'cache hit ratio of catalog reads (default: 0.8)', number(0, 1))
    .option('--utilization <share>', 'CPU utilization of each tier at the peak (default: 0.6)', number(0.05, 0.95))
    .option('--job-seconds <seconds>', 'CPU time per background job (default: 0.05)', number(0, 3600))
    .addOption(
      new Option('--survive <what>', 'failure that must not cause an outage')
        .choices(['nothing', 'server', 'zone'])
        .default('nothing'),
    )
    .option('--usl <file>', 'read a measured scalability law, {"usl":{"lambda","sigma","kappa"}}')
    .option('--demand <file>', 'read CPU time per request, the output of "npm run bench -- demand --json"')
    .option('--region <region>', 'region of the prices', 'us-east-1')
    .option('--json', 'print plan and bill as JSON')
    .action(async (options: PlanOptions) => {
      const { plan } = await import('./plan-command.js');
      process.exitCode = await plan(options);
    });

  program
    .command('curve')
    .description('Compare the cost of one instance and many servers at 1K to 1M requests/s, as a table and as SVG.')
    .option('--out <file>', 'SVG file to write', 'docs/pictures/cost-curve.svg')
    .option('--region <region>', 'region of the prices', 'us-east-1')
    .option('--json', 'print the figures as JSON')
    .action(async (options: CurveOptions) => {
      const { curve } = await import('./curve-command.js');
      process.exitCode = curve(options);
    });

  program
    .command('prices')
    .description('Show the price table with sources and age.')
    .option('--refresh', 'update the table from the AWS price list; needs AWS credentials')
    .option('--region <region>', 'region of the prices; with --refresh also a new region', 'us-east-1')
    .option('--json', 'print the prices as JSON')
    .action(async (options: PricesOptions) => {
      const { prices } = await import('./prices-command.js');
      await prices(options);
    });

  program
    .command('simulate')
    .description("Simulate a template's scaling policies under traffic: capacity, dropped requests and cost.")
    .option('--phase <number>', 'phase to synthesize: 3 or 4', oneOf(['3', '4']), '4')
    .option('-c, --context <name=value...>', 'set CDK context of the phase, such as maxServers=200')
    .option('--template <path>', 'read a JSON or YAML template, or a cloud assembly (cdk.out) instead')
    .option('--stack <id>', 'stack in that folder; for a nested stack shop/Web')
    .option(
      '--group <id>',
      'logical id of the Auto Scaling group, or a part of it (default: the one behind a load balancer)',
    )
    .option('--traffic <name>', 'steady, daily, spike, black-friday, or a CSV file with time,rps', 'daily')
    .option('--rps <number>', 'baseline traffic in requests/s (default: derived from the size of the group)', number(0))
    .option('--days <number>', 'duration in days (default: that of the shape)', wholeNumber(1, 3660))
    .option(
      '--server-rps <number>',
      'requests/s of one server at 100% CPU (default: derived from the scaling targets)',
      number(0.001),
    )
    .option(
      '--servers <number>',
      'initial number of servers (default: sized for the first minute)',
      wholeNumber(0, 100_000),
    )
    .option('--profile <name>', 'service whose scaling behavior is simulated: ec2 or ecs', oneOf(['ec2', 'ecs']), 'ec2')
    .option('--boot <seconds>', 'time from launch until a server is in service', number(0))
    .option('--app-start <seconds>', 'time from in service until the app responds (default: 60)', number(0))
    .option('--metric-delay <seconds>', 'delay of CloudWatch metrics (default: 60)', number(0))
    .option('--cooldown <seconds>', 'cooldown of simple scaling policies, compared with 300', number(0))
    .option('--warmup <seconds>', 'warm-up of all other policies (default: from the template)', number(0))
    .option(
      '--spot-loss <percent>',
      'spot interruptions per month (default: from the Spot Instance advisor)',
      number(0, 100),
    )
    .option('--spot-sweep <minute>', 'minute at which all spot servers are interrupted', wholeNumber(0, 5_270_400))
    .option('--forecast <file>', 'CSV file with time,rps for predictive scaling (default: a seasonal forecast)')
    .option('--region <name>', 'region of the prices', 'us-east-1')
    .option('--price-per-hour <usd>', 'On-Demand price of a server (default: from the price table)', number(0))
    .option('--spot-price-per-hour <usd>', 'spot price of a server (default: from the price table)', number(0))
    .option('--seed <number>', 'seed of the random numbers', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--svg <file>', 'write a chart as SVG')
    .option('--json', 'print the figures as JSON')
    .action(async (options: Omit<SimulateOptions, 'context' | 'json'> & { context?: string[]; json?: boolean }) => {
      const { simulateCommand } = await import('./simulate-command.js');
      await simulateCommand({ ...options, context: options.context ?? [], json: options.json ?? false });
    });

  program
    .command('advise')
    .description('Read CloudWatch metrics of a running stack and report its next limit and the phase that removes it.')
    .option('--stack <name>', 'CloudFormation stack', 'shop')
    .option('--region <name>', "region of the stack (default: AWS_REGION, or the profile's region)")
    .option('--days <number>', 'days of metrics to read', wholeNumber(1, 455), 14)
    .option('--until <time>', 'end of the period to read (default: now)')
    .option('--period <seconds>', 'period of a data point, in whole minutes', wholeMinutes, 300)
    .option('--phase <number>', 'running phase (default: from the stack)', wholeNumber(1, 5))
    .option('--from <file>', 'read recorded metrics from a CSV file with time,metric,value instead')
    .option('--database-class <class>', 'with --from: instance class of the database, such as db.m7g.large')
    .option(
      '--latency-objective <ms>',
      'objective for the p99 response time, with a load balancer (default: not checked)',
      number(1, 60_000),
    )
    .option('--cache-type <type>', 'with --from: node type of the cache, such as cache.t4g.small')
    .option('--json', 'print the result as JSON')
    .action(async (options: Omit<AdviseOptions, 'json'> & { json?: boolean }) => {
      const { adviseCommand } = await import('./advise-command.js');
      await adviseCommand({ ...options, json: options.json ?? false });
    });
}

/** Adds the traffic options to a command. */
function withTraffic(command: Command): Command {
  return command
    .option('--peak-to-average <ratio>', 'peak divided by the monthly mean', number(1, 1000))
    .option('--response-bytes <bytes>', 'mean response size', number(1, 1e9))
    .option('--edge-hit-ratio <share>', 'hit ratio of the edge cache', number(0, 1))
    .option('--write-ratio <share>', 'share of requests that write', number(0, 1))
    .option('--data-gib <gib>', 'size of the data in the database', number(0, 1e6));
}

function wholeMinutes(value: string): number {
  const seconds = Number(value);
  if (!/^\d+$/.test(value) || seconds === 0 || seconds > 86_400 || seconds % 60 !== 0) {
    throw new InvalidArgumentError('Must be a multiple of 60, up to 86400.');
  }
  return seconds;
}
