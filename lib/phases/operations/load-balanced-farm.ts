import { Aws } from 'aws-cdk-lib';
import { Dashboard, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { AlarmTopic } from '../../monitoring/alarm-topic';
import { appWidgets } from '../../monitoring/app-widgets';
import { DatabaseMonitoring } from '../../monitoring/database-monitoring';
import { FleetMonitoring } from '../../monitoring/fleet-monitoring';
import { LoadBalancerMonitoring } from '../../monitoring/load-balancer-monitoring';
import { MonthlyBudget } from '../../monitoring/monthly-budget';
import { ReadReplicasMonitoring } from '../../monitoring/read-replicas-monitoring';
import { SessionCacheMonitoring } from '../../monitoring/session-cache-monitoring';
import type { Address } from '../../tiers/address';
import type { Database } from '../../tiers/database';
import { FaultDrills } from '../../tiers/fault-drills';
import type { Fleet } from '../../tiers/fleet';
import type { LoadBalancer } from '../../tiers/load-balancer';
import type { Network } from '../../tiers/network';
import type { ReadReplicas } from '../../tiers/read-replicas';
import type { SessionCache } from '../../tiers/session-cache';
import type { StateKey } from '../../tiers/state-key';
import { boxSize } from '../shop-on-box';
import { METRICS_NAMESPACE } from '../shop-on-fleet';
import type { FarmProps } from '../shop-props';
import { addOutputs, fleetSession } from './outputs';

/** Phase 3, as far as its operations need it. */
export interface OperatedFarm extends Construct {
  readonly network: Network;
  readonly stateKey: StateKey;
  readonly database: Database;
  readonly readReplicas: ReadReplicas;
  readonly sessionCache: SessionCache;
  readonly loadBalancer: LoadBalancer;
  readonly fleet: Fleet;
  readonly address: Address;
}

/** Adds alarms, budget, dashboard, fault drills and stack outputs to phase 3, as its direct children. */
export function addOperations(
  phase: OperatedFarm,
  props: FarmProps & { servers: number },
): { alarmTopic: AlarmTopic; drills: FaultDrills } {
  const { loadBalancer, fleet, database, readReplicas, sessionCache } = phase;

  const alarmTopic = new AlarmTopic(phase, 'AlarmTopic', {
    encryptionKey: phase.stateKey.key,
    email: props.alarmEmail,
  });
  const { topic } = alarmTopic;
  const balancerMonitoring = new LoadBalancerMonitoring(phase, 'LoadBalancerMonitoring', { loadBalancer, topic });
  const { instanceType } = boxSize(props);
  const monitoring = [
    balancerMonitoring,
    new FleetMonitoring(phase, 'FleetMonitoring', { fleet, instanceType, minSize: props.servers, topic }),
    new SessionCacheMonitoring(phase, 'SessionCacheMonitoring', { sessionCache, topic }),
    new DatabaseMonitoring(phase, 'DatabaseMonitoring', { database, topic }),
    new ReadReplicasMonitoring(phase, 'ReadReplicasMonitoring', { readReplicas, topic }),
  ];
  new MonthlyBudget(phase, 'MonthlyBudget', { usd: props.monthlyBudget, email: props.alarmEmail });

  new Dashboard(phase, 'Dashboard', {
    widgets: [
      [new TextWidget({ markdown: NEXT_BOTTLENECK, width: 24, height: 4 })],
      ...appWidgets(METRICS_NAMESPACE),
      ...monitoring.flatMap(({ widgets }) => widgets),
    ],
  });

  const drills = new FaultDrills(phase, 'FaultDrills', {
    stopAlarms: balancerMonitoring.userFacingAlarms,
    serverTag: { key: 'Name', value: `${Aws.STACK_NAME}-shop` },
    availabilityZones: phase.network.vpc.availabilityZones,
    databaseArn: database.instance.instanceArn,
    replicationGroupId: sessionCache.replicationGroup.ref,
  });

  addOutputs(phase, {
    Phase: '3',
    Url: phase.address.url,
    OpenSession: fleetSession(fleet),
    DatabaseEndpoint: database.instance.instanceEndpoint.socketAddress,
  });
  return { alarmTopic, drills };
}

const NEXT_BOTTLENECK = `# Phase 3: a load-balanced farm
The first alarm or exhausted limit below shows the next bottleneck. **Server CPU, event-loop utilization, shed requests**: more
servers (\`-c servers=10\`). **Replica CPU at a high cache hit ratio**: more replicas. **The number of servers changes every week,
or static files and jobs use up their CPU**: phase 4. **CPU of the primary**: a larger instance class; writes have one primary
until phase 5.`;
