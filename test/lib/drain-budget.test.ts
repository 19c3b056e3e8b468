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
import { phaseTemplate, resourcesOf } from '../support/templates';

// Phases without a domain print the plain-HTTP warning at synth.
jest.spyOn(console, 'error').mockImplementation();

/** Seconds of the spot notice that must remain in the worst case, because Auto Scaling receives the notice with a delay. */
const SPARE = 10;

/** Reads the timeouts from the template, the app's unit file and its source, so that constants are checked where they apply. */
describe.each(['phase-3', 'phase-4'] as const)('a terminating server of %s', (id) => {
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

  test('has target groups and lifecycle hooks', () => {
    expect(groups.length).toBeGreaterThan(0);
    expect(targets.length).toBeGreaterThan(0);
    expect(app).toContain('READINESS_GRACE');
    expect(app).toContain('APP_DRAIN');
  });

  test('returns 503 for longer than the load balancer needs to detect it', () => {
    for (const { check } of targets) expect(READINESS_GRACE).toBeGreaterThan(check);
    expect(READINESS_GRACE).toBeGreaterThan(HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT);
  });

  test('has enough time before systemd kills the app', () => {
    expect(unitTimeout).toBe(APP_STOP_TIMEOUT);
    // The primary process kills its workers 5 s after the drain timeout.
    expect(unitTimeout).toBeGreaterThan(READINESS_GRACE + APP_DRAIN + 5);
  });

  test('is held by its lifecycle hook until systemd has stopped the app, then always terminates', () => {
    for (const { ends, result, timeout } of hooks) {
      expect([ends, result]).toEqual(['autoscaling:EC2_INSTANCE_TERMINATING', 'CONTINUE']);
      expect(timeout).toBeGreaterThan(LIFECYCLE_POLL + unitTimeout);
    }
  });

  test('terminates within the spot interruption notice, with deregistration before the lifecycle hook', () => {
    for (const { delay } of targets) {
      // A request that arrived just before deregistration may run for the drain timeout of the app.
      expect(delay).toBeGreaterThanOrEqual(APP_DRAIN);
      for (const { timeout } of hooks) expect(delay + timeout).toBeLessThanOrEqual(SPOT_NOTICE - SPARE);
    }
  });
});

test('the load balancer closes idle connections before the app, and the app before its headers timeout', () => {
  expect(ALB_IDLE).toBeLessThan(APP_KEEP_ALIVE);
  expect(APP_KEEP_ALIVE).toBeLessThan(APP_HEADERS_TIMEOUT);
  const [balancer] = Object.values(resourcesOf(phaseTemplate('phase-3'), 'AWS::ElasticLoadBalancingV2::LoadBalancer'));
  expect(balancer.Properties.LoadBalancerAttributes).toContainEqual({
    Key: 'idle_timeout.timeout_seconds',
    Value: String(ALB_IDLE),
  });
});
