import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ALB_IDLE,
  APP_DRAIN,
  APP_HEADERS_TIMEOUT,
  APP_KEEP_ALIVE,
  APP_STOP_TIMEOUT,
  HEALTH_INTERVAL,
  HEALTH_UNHEALTHY_COUNT,
  LIFECYCLE_POLL,
  READINESS_GRACE,
  SPOT_NOTICE,
} from '../../lib/constants';
import { phaseTemplate, resourcesOf } from '../support/stack';

// Each synth of a phase without a domain warns of plain HTTP.
jest.spyOn(console, 'error').mockImplementation();

/** Seconds that are left of the spot notice when all has gone as slowly as it may: Auto Scaling hears of it a little later. */
const SPARE = 10;

/** How a server leaves, as the template, the app's unit file and the app itself say; nothing here is a constant's own word. */
describe.each(['phase-3', 'phase-4'] as const)('a server that leaves %s', (id) => {
  const template = phaseTemplate(id);
  const unit = readFileSync(join(__dirname, '../../app/host/shop.service'), 'utf8');
  const app = readFileSync(join(__dirname, '../../app/process/serve.ts'), 'utf8');
  const unitTimeout = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
  const groups = Object.values(resourcesOf(template, 'AWS::AutoScaling::AutoScalingGroup'));
  const targets = Object.values(resourcesOf(template, 'AWS::ElasticLoadBalancingV2::TargetGroup')).map(
    ({ Properties }) => ({
      check: Properties.HealthCheckIntervalSeconds * Properties.UnhealthyThresholdCount,
      delay: Number(
        Properties.TargetGroupAttributes.find(
          ({ Key }: { Key: string }) => Key === 'deregistration_delay.timeout_seconds',
        ).Value,
      ),
    }),
  );
  const hooks = groups.map(({ Properties }) => {
    const [hook] = Properties.LifecycleHookSpecificationList;
    return { ends: hook.LifecycleTransition, result: hook.DefaultResult, timeout: hook.HeartbeatTimeout };
  });

  test('has balancers and hooks to look at', () => {
    expect(groups.length).toBeGreaterThan(0);
    expect(targets.length).toBeGreaterThan(0);
    expect(app).toContain('READINESS_GRACE');
    expect(app).toContain('APP_DRAIN');
  });

  test('says 503 for longer than the balancer needs to see it, whichever way it leaves', () => {
    for (const { check } of targets) expect(READINESS_GRACE).toBeGreaterThan(check);
    expect(READINESS_GRACE).toBeGreaterThan(HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT);
  });

  test('is given by systemd the time that the app takes', () => {
    expect(unitTimeout).toBe(APP_STOP_TIMEOUT);
    // The primary process waits 5 s more for its workers before it kills them.
    expect(unitTimeout).toBeGreaterThan(READINESS_GRACE + APP_DRAIN + 5);
  });

  test('is held by its hook until systemd is done, and let go in any case', () => {
    for (const { ends, result, timeout } of hooks) {
      expect([ends, result]).toEqual(['autoscaling:EC2_INSTANCE_TERMINATING', 'CONTINUE']);
      expect(timeout).toBeGreaterThan(LIFECYCLE_POLL + unitTimeout);
    }
  });

  test('is gone within the notice of a spot server, deregistration first and hook after it', () => {
    for (const { delay } of targets) {
      // A request that came just before the deregistration may take as long as the app lets any take.
      expect(delay).toBeGreaterThanOrEqual(APP_DRAIN);
      for (const { timeout } of hooks) expect(delay + timeout).toBeLessThanOrEqual(SPOT_NOTICE - SPARE);
    }
  });
});

test('the balancer gives up idle connections before the app does, and the app before its patience with headers ends', () => {
  expect(ALB_IDLE).toBeLessThan(APP_KEEP_ALIVE);
  expect(APP_KEEP_ALIVE).toBeLessThan(APP_HEADERS_TIMEOUT);
  const [balancer] = Object.values(resourcesOf(phaseTemplate('phase-3'), 'AWS::ElasticLoadBalancingV2::LoadBalancer'));
  expect(balancer.Properties.LoadBalancerAttributes).toContainEqual({
    Key: 'idle_timeout.timeout_seconds',
    Value: String(ALB_IDLE),
  });
});
