import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { number, oneOf, wholeNumber } from '../../support/arguments';
import type { RehearsedPhase } from '../topology/topology-plan';
import type { RehearseFlags } from './flags';

const DEPENDENCIES = ['database', 'replicas', 'redis'] as const;

const EXIT_CODES = `
Exit codes:
  0  passed
  1  a target is missed, or the run failed
  2  bad input
  3  not judged: this machine does not carry the load, or too little happened
`;

/** Declares the command `rehearse`. Its bounds are those of `tools/rehearsal/rehearse/scenario-file.ts`. */
export function declareRehearse(program: Command): void {
  const count = wholeNumber(1, 20);
  program
    .command('rehearse')
    .description('Run a phase on this machine with real parts, under load and faults; the exit code is the verdict.')
    .addArgument(
      new Argument('<phase>', 'phase 1, 2, 3 or 4; or 1..4, from one to the other under traffic').argParser(
        oneOf(['1', '2', '3', '4', '1..2', '1..3', '1..4', '2..3', '2..4', '3..4']),
      ),
    )
    .optionsGroup('Traffic:')
    .option(
      '--rps <number>',
      'requests a second (default: 100, or what this machine carries if that is less)',
      number(1, 5_000),
    )
    .option('--seconds <number>', 'how long visitors come (default: 30 to 240, by what happens)', wholeNumber(5, 900))
    .option(
      '--profile <name>',
      'steady, ramp, spike or black-friday (default: steady)',
      oneOf(['steady', 'ramp', 'spike', 'black-friday']),
    )
    .option('--spike <times>', 'rise to so many times the rate, such as 10x', times)
    .option('--overload <times>', 'the same, at servers of a tenth of a vCPU each, and visitors who reload', times)
    .option('--reloads <number>', 'how often visitors load again what did not come (default: 0)', wholeNumber(0, 10))
    .optionsGroup('Shape:')
    .option('--servers <number>', 'servers of phases 3 (default: 5) and 4 (default: 2)', count)
    .option('--vcpu <number>', 'vCPUs of each server (default: no limit)', number(0.05, 16))
    .option(
      '--sessions <store>',
      'postgres, redis, cookie or memory (default: that of the phase)',
      oneOf(['postgres', 'redis', 'cookie', 'memory']),
    )
    .option(
      '--balance <how>',
      'roundrobin, leastconn, source or sticky (default: roundrobin)',
      oneOf(['roundrobin', 'leastconn', 'source', 'sticky']),
    )
    .option('--layer <number>', 'balance requests (7, the default) or connections (4)', layer)
    .option('--replicas <number>', 'read replicas of the database (default: 2)', wholeNumber(0, 5))
    .option('--no-shedding', 'servers take what is too much for them')
    .option('--no-cache', 'servers ask the database for every answer of the catalogue')
    .option('--time-scale <times>', 'how fast time passes for the policies of phase 4 (default: 30)', number(1, 120))
    .optionsGroup('What happens on the way:')
    .option('--kill <servers>', 'SIGKILL to so many servers', count)
    .option('--kill-worker <workers>', 'SIGKILL to so many workers of background jobs', count)
    .option('--stop <servers>', 'SIGTERM to so many servers', count)
    .option('--spot <servers>', 'a notice that EC2 takes so many servers back', count)
    .option('--kill-az <zones>', 'an end of everything in so many zones', wholeNumber(1, 2))
    .option('--kill-db', 'the primary database crashes')
    .option('--kill-replica', 'a replica of the database crashes')
    .option('--kill-redis', 'the Redis primary crashes, and its replica takes over')
    .option('--demote-redis', 'the Redis primary refuses writes for a while')
    .option('--lag <seconds>', 'replicas stop following the primary for so long', wholeNumber(1, 120))
    .option('--slow <dependency=ms>', 'a slow network to database, replicas or redis, such as redis=50', slow)
    .option('--deploy', 'a new version, server after server')
    .option('--resize <vcpu>', 'the box of phase 1 or 2 gets so many vCPUs', number(0.05, 16))
    .option('--scale <servers>', 'to so many servers, and back', count)
    .option('--scenario <file>', 'settings and steps from a YAML or JSON file; flags come before it')
    .optionsGroup('By hand:')
    .option('--board', 'a page that shows it live, with buttons; visitors then come for 600 s (default)')
    .addOption(
      new Option('--board-port <port>', 'TCP port of that page on loopback (default: a free one)')
        .argParser(wholeNumber(1, 65535))
        .implies({ board: true }),
    )
    .optionsGroup('Report:')
    .option('--html <file>', 'file of the report with charts', 'rehearsal.html')
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

/** The arguments that decide what happens, without those about the report. */
function withoutReport(args: readonly string[]): string[] {
  return args.filter((arg, index) => arg !== '--json' && arg !== '--html' && args[index - 1] !== '--html');
}

/** `10x` or `10`. */
function times(value: string): number {
  const number = Number(/^(\d+(\.\d+)?)x?$/.exec(value)?.[1]);
  if (!(number >= 1 && number <= 50)) throw new InvalidArgumentError('Allowed: from 1x to 50x.');
  return number;
}

function layer(value: string): 4 | 7 {
  return Number(oneOf(['4', '7'])(value)) as 4 | 7;
}

function slow(value: string): RehearseFlags['slow'] {
  const [, to, delay] = /^([a-z]+)=(\d+)$/.exec(value) ?? [];
  const found = DEPENDENCIES.find((one) => one === to);
  const delayMs = Number(delay);
  if (found === undefined || !(delayMs >= 1 && delayMs <= 5_000)) {
    throw new InvalidArgumentError(`Allowed: one of ${DEPENDENCIES.join(', ')}, = and 1 to 5000 ms.`);
  }
  return { to: found, delayMs };
}
