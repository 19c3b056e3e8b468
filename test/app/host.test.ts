import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { APP_DRAIN, APP_STOP_TIMEOUT, NODE_MAJOR, READINESS_GRACE } from '../../lib/constants';
import { serverUser } from '../../tools/rehearsal/programs/postgres-user';
import { findBinaries } from '../../tools/support/programs';
import { phaseTemplate, resourcesOf } from '../support/templates';

jest.spyOn(console, 'error').mockImplementation();

const HOST = join(__dirname, '../../app/host');
const scripts = readdirSync(HOST).filter((file) => file.endsWith('.sh'));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'host-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function bash(script: string, env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
  return { status, stdout, stderr };
}

/** Runs functions of configure.sh with stubs for the system services. */
function configure(script: string, env: Record<string, string> = {}) {
  return bash(`source ${HOST}/configure.sh; ${STUBS}\n${script}`, {
    DATA: join(dir, 'data'),
    SHOP: join(dir, 'shop'),
    ETC: join(dir, 'etc'),
    PHASE: '1',
    NODE_MAJOR: '24',
    AWS_REGION: 'eu-west-1',
    STACK_ID: 'arn:the-stack',
    SESSION_SECRET_ARN: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:session',
    ...env,
  });
}

/** A `ready` file marks a release that becomes ready. `calls` logs the systemctl commands. */
const STUBS = `
  metadata() { echo "the-$(basename "$1")"; }
  systemctl() { echo "$*" >>"$SHOP/calls"; [[ $1 != is-active ]]; }
  journalctl() { echo 'a line of the log'; }
  sleep() { :; }
  curl() { [[ -f $SHOP/current/ready ]]; }
  READY_ATTEMPTS=2
`;

function release(name: string, ready: boolean): string {
  const path = join(dir, 'shop', 'releases', name);
  mkdirSync(path, { recursive: true });
  mkdirSync(join(dir, 'etc'), { recursive: true });
  writeFileSync(join(path, 'server.js'), '');
  if (ready) writeFileSync(join(path, 'ready'), '');
  return path;
}

const current = () => readlinkSync(join(dir, 'shop', 'current'));
const restarts = () =>
  readFileSync(join(dir, 'shop', 'calls'), 'utf8')
    .split('\n')
    .filter((call) => call === 'restart shop').length;

describe('the scripts', () => {
  test('pass shellcheck, including those in the templates', () => {
    if (spawnSync('shellcheck', ['--version']).error) {
      console.warn('SKIPPED: shellcheck is not installed (apt-get install shellcheck), so the scripts are not checked');
      return;
    }
    const [setup] = Object.values(resourcesOf(phaseTemplate('phase-2'), 'AWS::SSM::Association'));
    // All values from CloudFormation are in single quotes.
    const commands = setup.Properties.Parameters.commands.map((line: unknown) =>
      typeof line === 'string'
        ? line
        : (line as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1]
            .map((part) => (typeof part === 'string' ? part : 'VALUE'))
            .join(''),
    );
    writeFileSync(join(dir, 'setup.sh'), `${commands.join('\n')}\n`);
    const files = [...scripts.map((file) => join(HOST, file)), join(dir, 'setup.sh')];
    const { stdout, status } = spawnSync('shellcheck', files, { encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  });

  test('fit the size limit of Systems Manager', () => {
    const [setup] = Object.values(resourcesOf(phaseTemplate('phase-2'), 'AWS::SSM::Association'));
    expect(JSON.stringify(setup.Properties.Parameters).length).toBeLessThan(32_000);
  });
});

describe('the data volume', () => {
  /** Runs the formatting check of the setup on a file instead of a device. */
  const formatIfBlank = (device: string) => {
    const [setup] = Object.values(resourcesOf(phaseTemplate('phase-1'), 'AWS::SSM::Association'));
    const lines: string[] = setup.Properties.Parameters.commands;
    const part = lines.slice(lines.indexOf('status=0'), lines.indexOf('esac') + 1).join('\n');
    return bash(
      `set -euo pipefail
      fail() { echo "error: $*" >&2; exit 1; }
      mkfs.xfs() { echo formatted; }
      device=${device} DATA_VOLUME_ID=vol-1
      ${part}`,
      { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    );
  };
  const device = (content: (path: string) => void) => {
    const path = join(dir, 'device');
    writeFileSync(path, '');
    truncateSync(path, 20 * 1024 ** 2);
    content(path);
    return path;
  };
  /** Writes the fields by which blkid detects XFS: magic number, block size and sector size. */
  const xfs = (path: string) => {
    const superblock = Buffer.alloc(512);
    superblock.write('XFSB');
    superblock.writeUInt32BE(4096, 4);
    superblock.writeBigUInt64BE(5120n, 8);
    superblock.writeUInt32BE(4, 88);
    superblock.writeUInt32BE(1280, 84);
    superblock.writeUInt16BE(512, 102);
    superblock.writeUInt16BE(512, 104);
    superblock.writeUInt16BE(8, 106);
    superblock.writeUInt32BE(1, 80);
    superblock.set([12, 9, 9, 3, 11, 0, 0, 25], 120);
    const file = openSync(path, 'r+');
    writeSync(file, superblock, 0, 512, 0);
    closeSync(file);
  };

  test('is formatted when it is blank', () => {
    expect(formatIfBlank(device(() => {}))).toEqual({ status: 0, stdout: 'formatted\n', stderr: '' });
  });

  test('is not formatted when it has an XFS file system', () => {
    expect(formatIfBlank(device(xfs))).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test.each([
    [
      'data that blkid does not recognize',
      (path: string) =>
        spawnSync('dd', ['if=/dev/urandom', `of=${path}`, 'bs=4096', 'seek=1', 'count=1', 'conv=notrunc']),
    ],
    ['a swap area', (path: string) => spawnSync('/sbin/mkswap', [path])],
    [
      'a partition table',
      (path: string) =>
        spawnSync('bash', [
          '--norc',
          '-c',
          `printf '\\125\\252' | dd of=${path} bs=1 seek=510 conv=notrunc; printf '\\203' | dd of=${path} bs=1 seek=450 conv=notrunc; printf '\\1\\0\\0\\0\\1\\0\\0\\0' | dd of=${path} bs=1 seek=454 conv=notrunc`,
        ]),
    ],
  ])('is rejected and not changed when it contains %s', (_, content) => {
    const { status, stdout, stderr } = formatIfBlank(device(content));
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: data volume vol-1 .*: it is left alone\n$/);
  });

  test('is rejected when it cannot be read', () => {
    expect(formatIfBlank(join(dir, 'missing'))).toMatchObject({ status: 1, stdout: '' });
  });
});

describe('shop.service', () => {
  const unit = readFileSync(join(HOST, 'shop.service'), 'utf8');

  test('has a stop timeout longer than the drain of the app', () => {
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
    expect(Number(seconds)).toBe(APP_STOP_TIMEOUT);
    expect(APP_STOP_TIMEOUT).toBeGreaterThan(APP_DRAIN + READINESS_GRACE);
  });

  test('is valid for systemd', () => {
    if (spawnSync('systemd-analyze', ['--version']).error) {
      console.warn('SKIPPED: systemd-analyze is not installed, so the units are not verified');
      return;
    }
    const units = readdirSync(HOST).filter((file) => /\.(service|timer)$/.test(file));
    for (const file of units) {
      // The program exists on the server only.
      writeFileSync(
        join(dir, file),
        readFileSync(join(HOST, file), 'utf8').replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true'),
      );
    }
    const { stderr, status } = spawnSync('systemd-analyze', ['verify', ...units.map((file) => join(dir, file))], {
      encoding: 'utf8',
    });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  });
});

describe('the PostgreSQL configuration', () => {
  const settings = (memoryKib: number, vcpus: number) => {
    const { stdout } = bash(`source ${HOST}/postgresql-memory.sh; memory_settings ${memoryKib} ${vcpus}`);
    return Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' = ') as [string, string]),
    );
  };

  test('on the smallest and the largest instance', () => {
    expect(settings(4 * 1024 ** 2, 2)).toEqual({
      shared_buffers: '1024MB',
      effective_cache_size: '2048MB',
      maintenance_work_mem: '256MB',
      work_mem: '10485kB',
      max_connections: '100',
      max_worker_processes: '8',
    });
    expect(settings(512 * 1024 ** 2, 64)).toMatchObject({
      shared_buffers: '131072MB',
      maintenance_work_mem: '2048MB',
      max_connections: '500',
      max_worker_processes: '64',
    });
  });

  test('is valid for PostgreSQL, and the instance-specific file overrides the defaults', () => {
    mkdirSync(join(dir, 'conf.d'));
    writeFileSync(join(dir, 'PG_VERSION'), '17\n');
    // The output of initdb plus the line that configure.sh adds.
    writeFileSync(
      join(dir, 'postgresql.conf'),
      "shared_buffers = 128MB\nmax_connections = 100\ninclude_dir 'conf.d'\n",
    );
    cpSync(join(HOST, 'postgresql.conf'), join(dir, 'conf.d', 'shop.conf'));
    const written = bash(`source ${HOST}/postgresql-memory.sh; memory_settings ${64 * 1024 ** 2} 16`).stdout;
    writeFileSync(join(dir, 'conf.d', 'memory.conf'), written);

    // PostgreSQL does not run as root or on data of another user.
    const user = serverUser();
    for (const file of ['', ...readdirSync(dir, { recursive: true, encoding: 'utf8' })]) user.own(join(dir, file));
    const settingOf = (name: string) => {
      const [program, ...args] = user.command(findBinaries().postgres, ['-D', dir, '-C', name]);
      return spawnSync(program, args, { encoding: 'utf8' }).stdout.trim();
    };
    expect([
      settingOf('max_connections'),
      settingOf('wal_level'),
      settingOf('listen_addresses'),
      settingOf('shared_buffers'),
    ]).toEqual(['160', 'logical', '', String((16 * 1024 ** 3) / 8192)]);
  });

  test('never allocates more memory than the instance has', () => {
    fc.assert(
      // EC2 instances have at least 1 GiB per vCPU (t4g.small) and at least 2 vCPUs.
      fc.property(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 2, max: 96 }), (gibPerVcpu, vcpus) => {
        const gib = gibPerVcpu * vcpus;
        const written = settings(gib * 1024 ** 2, vcpus);
        const workMemory = (Number.parseInt(written.work_mem ?? '', 10) / 1024) * Number(written.max_connections);
        return Number.parseInt(written.shared_buffers ?? '', 10) + workMemory <= gib * 1024 * 0.75;
      }),
      { numRuns: 25 },
    );
  });
});

describe('the environment of the app', () => {
  const environment = (env: Record<string, string> = {}) =>
    Object.fromEntries(
      configure('environment_file', env)
        .stdout.trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );

  test('in phase 1: port 80, and the database over a Unix socket without a password', () => {
    expect(environment()).toEqual({
      NODE_ENV: 'production',
      PHASE: '1',
      PORT: '80',
      TRUST_PROXY: '0',
      DATABASE_URL: 'postgres://shop@/shop?host=/run/postgresql',
      SESSION_STORE: 'postgres',
      SESSION_SECRET_ARN: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:session',
      MAX_SERVERS: '1',
      AWS_REGION: 'eu-west-1',
      SERVER_NAME: 'the-instance-id',
      AVAILABILITY_ZONE: 'the-availability-zone',
    });
  });

  test('in phase 2 with a domain: the ARN of the database secret, and one trusted proxy', () => {
    const written = environment({ PHASE: '2', DATABASE_SECRET_ARN: 'arn:database', DOMAIN_NAME: 'shop.example.com' });
    expect(written).toMatchObject({
      DATABASE_SECRET_ARN: 'arn:database',
      PORT: '8080',
      HOST: '127.0.0.1',
      TRUST_PROXY: '1',
    });
    expect(written).not.toHaveProperty('DATABASE_URL');
  });

  test('in phase 3: the variables of the template, on the port of the target group', () => {
    const given = {
      DATABASE_SECRET_ARN: 'arn:database',
      DATABASE_REPLICA_HOSTS: 'one.example.com,two.example.com',
      SESSION_STORE: 'redis',
      REDIS_URL: 'rediss://cache.example.com:6379',
      REDIS_SECRET_ARN: 'arn:cache',
      REDIS_MIN_REPLICAS: '1',
      TRUST_PROXY: '1',
      MAX_SERVERS: '6',
      METRICS_NAMESPACE: 'Shop',
    };
    expect(environment({ PHASE: '3', ...given })).toEqual({
      ...given,
      NODE_ENV: 'production',
      PHASE: '3',
      PORT: '8080',
      SESSION_SECRET_ARN: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:session',
      AWS_REGION: 'eu-west-1',
      SERVER_NAME: 'the-instance-id',
      AVAILABILITY_ZONE: 'the-availability-zone',
    });
  });

  test('fails when the instance metadata service does not respond', () => {
    const { status, stdout } = configure('metadata() { return 1; }; text=$(environment_file); echo written');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  });
});

describe('the input of configure.sh', () => {
  test.each<[Record<string, string>, string]>([
    [{}, 'error: RELEASE_DIR is not set'],
    [{ RELEASE_DIR: '/nowhere', POSTGRES_MAJOR: '17' }, 'error: /nowhere holds no server.js'],
  ])('%j is rejected in one line', (env, line) => {
    const { status, stderr } = configure('check_environment', env);
    expect({ status, stderr }).toEqual({ status: 1, stderr: `${line}\n` });
  });

  test('rejects phase 2 without a database secret, and phase 1 with one', () => {
    const env = { RELEASE_DIR: release('a', true), POSTGRES_MAJOR: '17' };
    expect(configure('check_environment', { ...env, PHASE: '2' }).stderr).toBe(
      'error: PHASE=2 does not go with DATABASE_SECRET_ARN=""\n',
    );
    expect(configure('check_environment', { ...env, DATABASE_SECRET_ARN: 'arn:x' }).stderr).toBe(
      'error: PHASE=1 does not go with DATABASE_SECRET_ARN="arn:x"\n',
    );
    expect(configure('check_environment', env).status).toBe(0);
  });

  test('rejects a fleet server with a domain, because the load balancer terminates HTTPS', () => {
    const env = { RELEASE_DIR: release('a', true), POSTGRES_MAJOR: '17', PHASE: '3', DATABASE_SECRET_ARN: 'arn:x' };
    expect(configure('check_environment', env).status).toBe(0);
    expect(configure('check_environment', { ...env, DOMAIN_NAME: 'shop.example.com' }).stderr).toMatch(
      /^error: DOMAIN_NAME=shop.example.com does not go with PHASE=3/,
    );
  });
});

describe('the phase guard', () => {
  /** `before`: the stack output during the deployment. The AWS CLI prints None if it does not exist. */
  const guard = (before: string, phase: string) =>
    configure(`aws() { echo ${before}; }; guard_phase`, { PHASE: phase });

  test.each([
    ['None', '1'],
    ['None', '3'],
    ['1', '1'],
    ['1', '2'],
    ['2', '3'],
    ['3', '3'],
    ['3', '4'],
    ['4', '3'],
    ['3', '2'],
  ])('allows phase %s to become phase %s', (before, phase) => {
    expect(guard(before, phase)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test.each([
    ['1', '3', 'error: the shop is in phase 1, with its orders on the box: deploy phase 2 before phase 3\n'],
    ['1', '4', 'error: the shop is in phase 1, with its orders on the box: deploy phase 2 before phase 4\n'],
    ['3', '1', 'error: the shop is in phase 3, with its orders in RDS: phase 1 would start without them\n'],
  ])('rejects the step from phase %s to phase %s, which would lose access to the orders', (before, phase, stderr) => {
    expect(guard(before, phase)).toEqual({ status: 1, stdout: '', stderr });
  });

  test('stops a server that cannot read the current phase', () => {
    expect(configure('aws() { return 255; }; guard_phase', { PHASE: '3' })).toMatchObject({
      status: 1,
      stderr: 'error: cannot ask which phase arn:the-stack was in\n',
    });
  });
});

describe('the location of the data', () => {
  const phase2 = { PHASE: '2', DATABASE_SECRET_ARN: 'arn:database' };
  const instanceHasDatabase = () => {
    mkdirSync(join(dir, 'data', 'pgsql'), { recursive: true });
    writeFileSync(join(dir, 'data', 'pgsql', 'PG_VERSION'), '17\n');
  };
  const moved = () => {
    mkdirSync(join(dir, 'data'), { recursive: true });
    writeFileSync(join(dir, 'data', 'moved-to-rds'), '');
  };
  const chosenDatabase = (env: Record<string, string> = {}) => configure('choose_database; echo "$DATABASE"', env);

  test.each<[string, () => void, Record<string, string>, string]>([
    ['on the instance in phase 1', () => {}, {}, 'box'],
    ['in RDS for an instance that starts in phase 2', () => {}, phase2, 'rds'],
    ['on the instance while it has a database from before phase 2', instanceHasDatabase, phase2, 'box'],
    ['in RDS after the migration', () => [instanceHasDatabase(), moved()], phase2, 'rds'],
    ['in RDS for a fleet server', () => {}, { ...phase2, PHASE: '3' }, 'rds'],
  ])('%s', (_, make, env, where) => {
    make();
    expect(chosenDatabase(env)).toEqual({ status: 0, stdout: `${where}\n`, stderr: '' });
  });

  test('an instance whose data has moved does not start over in phase 1', () => {
    instanceHasDatabase();
    moved();
    expect(chosenDatabase().stderr).toMatch(/^error: the shop's data is in RDS .*phase 1 would start without it/);
  });

  test('the app on an instance of phase 2 keeps its local data, and reports phase 1', () => {
    instanceHasDatabase();
    const { stdout } = configure('choose_database; environment_file', phase2);
    expect(stdout).toContain('PHASE=1\n');
    expect(stdout).toContain('DATABASE_URL=postgres://shop@/shop?host=/run/postgresql\n');
    expect(stdout).not.toContain('arn:database');
  });

  /** Stubs the exit code of `move.js status`. */
  const status = (code: number) =>
    configure(`runuser() { echo "runuser $*"; return ${code}; }; guard_move`, {
      ...phase2,
      PHASE: '3',
      RELEASE_DIR: '/release',
    });

  test('a fleet server does not start on a database whose data has not been migrated', () => {
    expect(status(3)).toMatchObject({
      status: 1,
      stderr: "error: the shop's data is not in RDS yet: move it in phase 2, before phase 3\n",
    });
    expect(status(0)).toEqual({
      status: 0,
      stdout: 'runuser -u shop -- env DATABASE_SECRET_ARN=arn:database /usr/bin/node-24 /release/move.js status\n',
      stderr: '',
    });
    // The app waits for a database that does not respond.
    expect(status(1).status).toBe(0);
  });
});

describe('the data migration', () => {
  const env = { PHASE: '2', DATABASE_SECRET_ARN: 'arn:database', POSTGRES_MAJOR: '17' };
  /** Prepares the instance as a deployment of phase 2 does, without systemd. */
  const prepared = () => {
    const path = release('a', true);
    cpSync(HOST, join(path, 'host'), { recursive: true });
    const { status, stderr } = configure(
      `DATABASE=box; install_file() { :; }; mover() { echo "mover $*"; }; activate_release; prepare_move`,
      { ...env, RELEASE_DIR: path },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return path;
  };
  /**
   * Runs `move.sh` with stubs for the system services.
   *
   * @param stubs exit codes of the `run` and `back` commands, phase of the stack, readiness of the app
   */
  const runMove = (stubs: { run?: number; back?: number; stack?: string; ready?: boolean; call?: string }) => {
    const { run = 0, back = 0, stack = '2', ready = true } = stubs;
    const script = `source ${HOST}/move.sh; ${STUBS}
      aws() { echo ${stack}; }
      mover() { echo "mover $1"; case $1 in run) return ${run} ;; back) return ${back} ;; esac; }
      curl() { [[ ${ready} == true ]] || grep -q DATABASE_URL "$ETC/environment"; }
      alone; ${stubs.call ?? 'move_to_rds'}`;
    return bash(script, {
      DATA: join(dir, 'data'),
      SHOP: join(dir, 'shop'),
      ETC: join(dir, 'etc'),
      LOCK: join(dir, 'lock'),
    });
  };
  const environment = () => readFileSync(join(dir, 'etc', 'environment'), 'utf8');
  const marked = () => existsSync(join(dir, 'data', 'moved-to-rds'));
  const calls = () => readFileSync(join(dir, 'shop', 'calls'), 'utf8').split('\n');

  beforeEach(() => mkdirSync(join(dir, 'data')));

  test('cannot start before a deploy of phase 2', () => {
    mkdirSync(join(dir, 'etc'));
    expect(runMove({})).toEqual({
      status: 1,
      stdout: '',
      stderr: `error: ${join(dir, 'etc')}/move is not there: deploy phase 2 first\n`,
    });
  });

  test('ends with the app on RDS, the marker file and the local PostgreSQL stopped, and is idempotent', () => {
    prepared();
    expect(environment()).toContain('DATABASE_URL=');
    expect(runMove({})).toEqual({ status: 0, stdout: "mover run\nThe shop's data is in RDS\n", stderr: '' });
    expect(environment()).toContain('DATABASE_SECRET_ARN=arn:database\n');
    expect(environment()).toContain('PHASE=2\n');
    expect(marked()).toBe(true);
    expect(calls()).toEqual(expect.arrayContaining(['enable -q shop-move', 'disable -q shop-move']));

    const before = restarts();
    expect(runMove({})).toEqual({ status: 0, stdout: "The shop's data is in RDS\n", stderr: '' });
    expect(restarts()).toBe(before);
  });

  test('waits for the deploy to finish, because it could still roll back', () => {
    prepared();
    expect(runMove({ stack: '1' })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'error: the stack is in phase 1: wait for the deploy of phase 2 to end\n',
    });
  });

  test.each([
    [1, 'mover run\n'],
    // Killed, or unable to resume writes.
    [137, 'mover run\nmover back\n'],
    [4, 'mover run\nmover back\n'],
  ])('that exits with %i leaves the app on the local database', (run, stdout) => {
    prepared();
    expect(runMove({ run })).toEqual({
      status: 1,
      stdout,
      stderr: 'error: nothing was moved, and the shop goes on with PostgreSQL on this machine\n',
    });
    expect(environment()).toContain('DATABASE_URL=');
    expect([marked(), calls().at(-2)]).toEqual([false, 'disable -q shop-move']);
  });

  test('is rolled back when the app does not become ready on RDS', () => {
    prepared();
    const { status, stdout, stderr } = runMove({ ready: false });
    expect([status, stdout]).toEqual([1, 'mover run\nmover back\n']);
    expect(stderr).toContain('error: release a did not become ready, a runs again\n');
    expect(stderr).toMatch(/error: the shop does not start on RDS, and goes on with PostgreSQL on this machine\n$/);
    expect(environment()).toContain('DATABASE_URL=');
    expect(marked()).toBe(false);
  });

  test('keeps its marker file when RDS has already accepted orders', () => {
    prepared();
    expect(runMove({ ready: false, back: 1 }).stderr).toMatch(
      /error: the shop does not start on RDS, which holds orders/,
    );
    expect(marked()).toBe(true);
  });

  test('can be canceled manually while the data is local, but not during another migration or a deploy', () => {
    prepared();
    expect(runMove({ call: 'take_back' })).toEqual({ status: 0, stdout: 'mover back\n', stderr: '' });
    expect(runMove({ call: 'touch "$MOVED"; take_back' }).stderr).toMatch(/^error: the shop's data is in RDS/);
    expect(runMove({ call: '(alone)' }).stderr).toMatch(/^error: a deploy or another move is at work/);
  });

  test('blocks a deploy of phase 1 while it retains WAL', () => {
    const slots = (count: number) => configure(`DATABASE=box; local_psql() { echo ${count}; }; prepare_move`);
    expect(slots(0).status).toBe(0);
    expect(slots(1).stderr).toMatch(/^error: a move to RDS was begun and keeps PostgreSQL's log: .*\n$/);
  });

  test('blocks a deploy of phase 2 when the migration is impossible', () => {
    const failing = configure(
      'DATABASE=box; write_file() { :; }; install_file() { :; }; mover() { return 1; }; prepare_move',
      {
        ...env,
        RELEASE_DIR: release('a', true),
      },
    );
    expect(failing).toMatchObject({
      status: 1,
      stderr: 'error: the data cannot be moved to RDS: see above. The shop goes on with PostgreSQL on this machine\n',
    });
  });
});

describe('switching releases', () => {
  test('a release that becomes ready is the current one', () => {
    const path = release('a', true);
    expect(configure('activate_release', { RELEASE_DIR: path }).status).toBe(0);
    expect(current()).toBe(path);
    expect(restarts()).toBe(1);
  });

  test('the same release does not restart the app', () => {
    const path = release('a', true);
    configure('activate_release', { RELEASE_DIR: path });
    expect(configure('activate_release', { RELEASE_DIR: path }).status).toBe(0);
    expect(restarts()).toBe(1);
  });

  test('the same release with a changed setting restarts the app', () => {
    const path = release('a', true);
    configure('activate_release', { RELEASE_DIR: path });
    configure('activate_release', { RELEASE_DIR: path, PHASE: '2', DATABASE_SECRET_ARN: 'arn:database' });
    expect(restarts()).toBe(2);
  });

  test('a release that does not become ready is rolled back to the previous one with its settings', () => {
    const [good, bad] = [release('good', true), release('bad', false)];
    configure('activate_release', { RELEASE_DIR: good });
    const { status, stderr } = configure('activate_release', {
      RELEASE_DIR: bad,
      PHASE: '2',
      DATABASE_SECRET_ARN: 'arn:database',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('a line of the log\n');
    expect(stderr).toContain('error: release bad did not become ready, good runs again\n');
    expect(current()).toBe(good);
    expect(readFileSync(join(dir, 'etc', 'environment'), 'utf8')).toContain('PHASE=1\n');
  });

  test('a first release that does not become ready fails', () => {
    expect(configure('activate_release', { RELEASE_DIR: release('bad', false) }).stderr).toContain(
      'error: release bad did not become ready\n',
    );
  });

  test('the last three releases are kept, and always the current one', () => {
    for (const [index, name] of ['oldest', 'older', 'old', 'new', 'newest'].entries()) {
      utimesSync(release(name, true), index, index);
    }
    const { status } = configure('ln -s "$SHOP/releases/oldest" "$SHOP/current"; remove_old_releases');
    expect(status).toBe(0);
    expect(readdirSync(join(dir, 'shop', 'releases')).sort()).toEqual(['new', 'newest', 'old', 'oldest']);
  });
});

describe('a worker', () => {
  test('runs worker.js, and is ready if its service is still active after startup', () => {
    const unit = `install_file ${HOST}/shop.service ${dir}/unit; cat ${dir}/unit`;
    expect(configure(unit, { SCRIPT: 'worker.js' }).stdout).toContain('/opt/shop/current/worker.js\n');
    expect(configure(unit).stdout).toContain('/opt/shop/current/server.js\n');
    const ready = (active: boolean) => configure(`systemctl() { ${active}; }; ready`, { SCRIPT: 'worker.js' }).status;
    expect([ready(true), ready(false)]).toEqual([0, 1]);
  });
});

describe('files', () => {
  test('are rendered, and written only when they differ', () => {
    writeFileSync(join(dir, 'template'), 'node-@NODE_MAJOR@ on @PORT@\n');
    const install = `install_file ${dir}/template ${dir}/file; echo "$CHANGED"; CHANGED=no; install_file ${dir}/template ${dir}/file; echo "$CHANGED"`;
    expect(configure(install, { NODE_MAJOR: String(NODE_MAJOR) }).stdout).toBe('yes\nno\n');
    expect(readFileSync(join(dir, 'file'), 'utf8')).toBe(`node-${NODE_MAJOR} on 80\n`);
    expect(existsSync(join(dir, 'file.new'))).toBe(false);
  });
});

describe('the static files of a release', () => {
  const env = { ASSETS_BUCKET: 'the-bucket', RELEASE_DIR: '/opt/shop/releases/new' };
  /** Stubs an `aws` that fails the given number of times first. */
  const aws = (failures: number) => `
    left=${failures}
    aws() { echo "aws $*"; ((left-- <= 0)); }
    sleep() { :; }`;
  const SYNC =
    'aws s3 sync --only-show-errors --size-only --exclude manifest.json /opt/shop/releases/new/public s3://the-bucket/assets\n';

  test('are uploaded below the path prefix of the site', () => {
    expect(configure(`${aws(0)}; publish_assets`, env)).toEqual({ status: 0, stdout: SYNC, stderr: '' });
  });

  test('are retried until the permission has propagated', () => {
    expect(configure(`${aws(3)}; publish_assets`, env)).toMatchObject({ status: 0, stdout: SYNC.repeat(4) });
  });

  test('prevent a server from serving when the upload fails', () => {
    const { status, stdout, stderr } = configure(`${aws(99)}; publish_assets`, env);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'error: cannot put the static files into the bucket the-bucket\n',
    });
    expect(stdout).toBe(SYNC.repeat(10));
  });
});
