import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Haproxy, startHaproxy } from '../../../../tools/rehearsal/programs/haproxy';
import { nextVersion } from '../../../../tools/rehearsal/programs/next-version';
import { drainFront } from '../../../../tools/rehearsal/topology/front';
import { ServerGroup } from '../../../../tools/rehearsal/topology/server-group';
import { describeWith } from '../../../support/needs';
import { eventually, isAlive, serverEnv, TestBed } from '../../../support/shop';

describeWith('haproxy', 'a group of servers behind a balancer', () => {
  let bench: TestBed;
  let dir: string;
  let balancer: Haproxy;
  let group: ServerGroup;
  const events: string[] = [];

  beforeAll(async () => {
    bench = await TestBed.open();
    dir = mkdtempSync(join(tmpdir(), 'shop-group-'));
    balancer = await startHaproxy({ dir, maxServers: 5, healthInterval: 0.2 });
    group = new ServerGroup({
      name: 'server',
      bundle: bench.bundle,
      dir,
      // Servers of phase 2 do not wait for a balancer before they exit.
      env: serverEnv(await bench.database(), { PHASE: '2' }),
      spot: false,
      balancer,
      detectionSeconds: 0.5,
      boot: 0,
      onEvent: (what) => events.push(what),
    });
    await group.begin(3);
  });

  afterAll(async () => {
    const servers = (await group?.snapshot()) ?? [];
    await group?.stop();
    for (const { pid } of servers) expect(isAlive(pid)).toBe(false);
    await balancer?.stop();
    await bench?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const now = async () => (await group.snapshot()).filter(({ state }) => state === 'in-service');
  const ask = (count: number) =>
    Promise.all(Array.from({ length: count }, async () => (await fetch(`${balancer.url}/whoami`)).status));

  test('servers are spread over zones and share the requests', async () => {
    expect(await ask(30)).not.toContain(503);
    const servers = await now();
    expect(servers.map(({ zone }) => zone).sort()).toEqual(['a', 'b', 'c']);
    expect(servers.map(({ requests }) => requests)).toEqual([10, 10, 10]);
  });

  test('a killed server is replaced, and the new one serves once healthy', async () => {
    const [victim] = group.inService;
    if (victim) group.kill([victim]);
    await eventually(() => group.inService.length === 2);
    await eventually(() => group.inService.length === 3);
    expect(events).toContain(`${victim?.name} in zone ${victim?.zone} died`);
    const killed = (await group.snapshot()).find(({ name }) => name === victim?.name);
    // Its requests stay counted.
    expect(killed).toMatchObject({ state: 'terminated', requests: 10 });
    expect((await now()).map(({ zone }) => zone).sort()).toEqual(['a', 'b', 'c']);
    expect(await ask(12)).not.toContain(503);
  });

  test('a terminated server drains and is replaced', async () => {
    const [leaver] = group.inService;
    if (leaver) group.terminate([leaver]);
    expect(await ask(12)).not.toContain(503);
    await eventually(() => leaver?.state === 'terminated' && group.inService.length === 3);
  });

  test('a deployment updates all servers without a failed request', async () => {
    const old = group.bundle.hash;
    const next = nextVersion(group.bundle, dir);
    let deploying = true;
    const deployed = group.deploy(next).then(() => {
      deploying = false;
    });
    const statuses = new Set<number>();
    let most = 0;
    while (deploying) {
      for (const status of await ask(4)) statuses.add(status);
      most = Math.max(most, (await now()).length);
    }
    await deployed;
    await eventually(() => group.draining === 0);
    expect([...statuses]).toEqual([200]);
    expect(most).toBeLessThanOrEqual(4);
    const servers = await now();
    expect(servers.map(({ version }) => version)).toEqual([next.hash, next.hash, next.hash]);
    expect(next.hash).not.toBe(old);
    expect(((await (await fetch(`${balancer.url}/whoami`)).json()) as { version: string }).version).toBe(next.hash);
  });

  test('scaling keeps zones balanced, and a server without a free slot at the balancer stops', async () => {
    await group.scale(5);
    expect((await now()).map(({ zone }) => zone).sort()).toEqual(['a', 'a', 'b', 'b', 'c']);
    events.length = 0;
    await group.scale(6);
    expect(events).toEqual(['The balancer has no free slot: all 5 are in use.']);
    expect((await group.snapshot()).filter(({ pid }) => isAlive(pid))).toHaveLength(5);
    await group.scale(2);
    const left = await now();
    expect(left).toHaveLength(2);
    expect(new Set(left.map(({ zone }) => zone)).size).toBe(2);
    expect(await ask(8)).not.toContain(503);
  });

  test('draining during a launch reports no error', async () => {
    events.length = 0;
    void group.scale(3);
    await drainFront(group, balancer);
    expect((await group.snapshot()).filter(({ state }) => state !== 'terminated')).toEqual([]);
    expect(events.filter((what) => !/^server-\d+ (in service in zone [abc]|draining|terminated)$/.test(what))).toEqual(
      [],
    );
  });
});
