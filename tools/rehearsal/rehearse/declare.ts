import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { number, oneOf, wholeNumber } from '../../support/arguments';
import { DEPENDENCIES } from '../topology/fault';
import { BALANCES, type RehearsedPhase, SESSION_STORES } from '../topology/topology-plan';
import { PROFILES } from '../traffic/profiles';
import type { RehearseFlags } from './flags';
import { BOUNDS } from './scenario';

const EXIT_CODES = `
Exit codes:
  0  passed
  1  a target was missed, or the run failed
  2  bad input
  3  not judged: too much load for this machine, or too little data
`;

/** Declares the command `rehearse`. */
export function declareRehearse(program: Command): void {
  const count = wholeNumber(...BOUNDS.servers);
  program
    .command('rehearse')
    .description(
      'Run a phase on this machine under load and faults, and verify its data; the exit code is the verdict.',
    )
    .addArgument(
      new Argument('<phase>', 'phase 1, 2, 3 or 4; or a range such as 1..4 to evolve under traffic').argParser(
        oneOf(['1', '2', '3', '4', '1..2', '1..3', '1..4', '2..3', '2..4', '3..4']),
      ),
    )
    .optionsGroup('Traffic:')
    .option(
      '--rps <number>',
      'requests per second (default: 100, or less if this machine carries less)',
      number(...BOUNDS.rps),
    )
    .option(
      '--seconds <number>',
      'duration of the traffic (default: 30 to 240, depending on the scenario)',
      wholeNumber(...BOUNDS.seconds),
    )
    .option('--profile <name>', 'load profile: steady, ramp, spike or black-friday (default: steady)', oneOf(PROFILES))
    .option('--spike <times>', 'raise the rate to a multiple for a while, such as 10x', times)
    .option('--overload <times>', 'same as --spike, with 0.1 vCPU per server and 2 retries per failed request', times)
    .option('--reloads <number>', 'retries per failed request (default: 0)', wholeNumber(...BOUNDS.reloads))
    .optionsGroup('Topology:')
    .option('--servers <number>', 'number of servers in phase 3 (default: 5) or 4 (default: 2)', count)
    .option('--vcpu <number>', 'vCPUs per server (default: no limit)', number(...BOUNDS.vcpu))
    .option(
      '--sessions <store>',
      'session store: postgres, redis, cookie or memory (default: depends on the phase)',
      oneOf(SESSION_STORES),
    )
    .option(
      '--balance <how>',
      'load balancing: roundrobin, leastconn, source or sticky (default: roundrobin)',
      oneOf(BALANCES),
    )
    .option('--layer <number>', 'balance requests (7) or connections (4) (default: 7)', layer)
    .option('--replicas <number>', 'number of read replicas (default: 2)', wholeNumber(...BOUNDS.replicas))
    .option('--no-shedding', 'disable load shedding')
    .option('--no-cache', 'disable the catalogue cache of the servers')
    .option(
      '--time-scale <times>',
      'speed up time for the scaling policies of phase 4 (default: 30)',
      number(...BOUNDS.timeScale),
    )
    .optionsGroup('Faults and changes:')
    .option('--kill <servers>', 'kill a number of servers with SIGKILL', count)
    .option('--kill-worker <workers>', 'kill a number of background workers with SIGKILL', count)
    .option('--stop <servers>', 'stop a number of servers with SIGTERM', count)
    .option('--spot <servers>', 'send Spot interruption notices to a number of servers', count)
    .option('--kill-az <zones>', 'fail a number of Availability Zones', wholeNumber(1, 2))
    .option('--kill-db', 'crash the primary database')
    .option('--kill-replica', 'crash a read replica')
    .option('--kill-redis', 'crash the Redis primary; its replica takes over')
    .option('--demote-redis', 'make the Redis primary read-only for a while')
    .option(
      '--lag <seconds>',
      'pause replication to the read replicas for a time',
      wholeNumber(...BOUNDS.outageSeconds),
    )
    .option('--slow <dependency=ms>', 'add network latency to database, replicas or redis, such as redis=50', slow)
    .option('--deploy', 'deploy a new version with a rolling update')
    .option('--resize <vcpu>', 'resize the instance of phase 1 or 2', number(...BOUNDS.vcpu))
    .option('--scale <servers>', 'change the desired capacity, and restore it later', count)
    .option('--scenario <file>', 'read settings and steps from a YAML or JSON file; flags override settings')
    .optionsGroup('Interactive:')
    .option('--board', 'serve a live page with buttons; --seconds defaults to 600')
    .addOption(
      new Option('--board-port <port>', 'TCP port of the board on loopback (default: a free port)')
        .argParser(wholeNumber(1, 65535))
        .implies({ board: true }),
    )
    .optionsGroup('Report:')
    .option('--html <file>', 'write the report with charts to a file', 'rehearsal.html')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', EXIT_CODES)
    .action(async (phase: string, { json, html, ...flags }: RehearseFlags & { html: string; json?: true }) => {
      const { rehearse } = await import('./rehearse-command.js');
      const [from, until = from] = phase.split('..').map(Number);
      const command = ['npm run rehearse --', ...withoutReport(process.argv.slice(3))].join(' ');
      process.exitCode = await rehearse({
        ...flags,
        phase: from as RehearsedPhase,
        until: until as RehearsedPhase,
        html,
        json: json ?? false,
        command,
      });
    });
}

/** Removes the report options, so that the command reproduces the run. */
function withoutReport(args: readonly string[]): string[] {
  return args.filter((arg, index) => arg !== '--json' && arg !== '--html' && args[index - 1] !== '--html');
}

/** `10x` or `10`. */
function times(value: string): number {
  const number = Number(/^(\d+(\.\d+)?)x?$/.exec(value)?.[1]);
  const [least, most] = BOUNDS.factor;
  if (!(number >= least && number <= most)) throw new InvalidArgumentError(`Allowed: from ${least}x to ${most}x.`);
  return number;
}

function layer(value: string): 4 | 7 {
  return Number(oneOf(['4', '7'])(value)) as 4 | 7;
}

function slow(value: string): RehearseFlags['slow'] {
  const [, to, delay] = /^([a-z]+)=(\d+)$/.exec(value) ?? [];
  const found = DEPENDENCIES.find((one) => one === to);
  const delayMs = Number(delay);
  const [least, most] = BOUNDS.delayMs;
  if (found === undefined || !(delayMs >= least && delayMs <= most)) {
    throw new InvalidArgumentError(`Allowed: one of ${DEPENDENCIES.join(', ')}, = and ${least} to ${most} ms.`);
  }
  return { to: found, delayMs };
}
