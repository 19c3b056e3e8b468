import { Aws } from 'aws-cdk-lib';
import { Dashboard, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { AlarmTopic } from '../../monitoring/alarm-topic';
import { appWidgets } from '../../monitoring/app-widgets';
import { DatabaseMonitoring } from '../../monitoring/database-monitoring';
import { edgeWidgets } from '../../monitoring/edge-widgets';
import { ElasticityMonitoring } from '../../monitoring/elasticity-monitoring';
import { FleetMonitoring } from '../../monitoring/fleet-monitoring';
import { LoadBalancerMonitoring } from '../../monitoring/load-balancer-monitoring';
import { MonthlyBudget } from '../../monitoring/monthly-budget';
import { Pager } from '../../monitoring/pager';
import { ProxyMonitoring } from '../../monitoring/proxy-monitoring';
import { QueueMonitoring } from '../../monitoring/queue-monitoring';
import { ReadReplicasMonitoring } from '../../monitoring/read-replicas-monitoring';
import { SessionCacheMonitoring } from '../../monitoring/session-cache-monitoring';
import type { DatabaseProxy } from '../../tiers/database-proxy';
import type { Edge } from '../../tiers/edge';
import { FaultDrills } from '../../tiers/fault-drills';
import type { Fleet } from '../../tiers/fleet';
import type { JobQueue } from '../../tiers/job-queue';
import { type ElasticCapacity, PREFERRED_SERVER_TYPE } from '../elastic-capacity';
import { METRICS_NAMESPACE } from '../shop-on-fleet';
import type { ElasticProps } from '../shop-props';
import type { OperatedFarm } from './load-balanced-farm';
import { addOutputs, fleetSession } from './outputs';

/** Phase 4, as far as its operations need it. */
export interface OperatedElasticFleet extends OperatedFarm {
  readonly databaseProxy: DatabaseProxy;
  readonly jobs: JobQueue;
  readonly edge: Edge;
  readonly workers: Fleet;
}

/** Adds alarms, pager, budget, dashboard, fault drills and stack outputs to phase 4, as its direct children. */
export function addOperations(
  phase: OperatedElasticFleet,
  props: ElasticProps,
  capacity: ElasticCapacity,
): { alarmTopic: AlarmTopic; drills: FaultDrills } {
  const { loadBalancer, edge, fleet, workers, jobs, database, databaseProxy, readReplicas, sessionCache } = phase;
  const { minSize, maxSize } = capacity.servers;

  const alarmTopic = new AlarmTopic(phase, 'AlarmTopic', {
    encryptionKey: phase.stateKey.key,
    email: props.alarmEmail,
  });
  const { topic } = alarmTopic;
  const balancerMonitoring = new LoadBalancerMonitoring(phase, 'LoadBalancerMonitoring', { loadBalancer, topic });
  const monitoring = [
    new ElasticityMonitoring(phase, 'ElasticityMonitoring', { fleet, maxSize, topic }),
    balancerMonitoring,
    new FleetMonitoring(phase, 'FleetMonitoring', {
      fleet,
      instanceType: PREFERRED_SERVER_TYPE,
      minSize: minSize,
      topic,
    }),
    new QueueMonitoring(phase, 'QueueMonitoring', { jobs, workers, topic }),
    new SessionCacheMonitoring(phase, 'SessionCacheMonitoring', { sessionCache, topic }),
    new DatabaseMonitoring(phase, 'DatabaseMonitoring', { database, topic }),
    new ProxyMonitoring(phase, 'ProxyMonitoring', { proxy: databaseProxy, topic }),
    new ReadReplicasMonitoring(phase, 'ReadReplicasMonitoring', { readReplicas, topic }),
  ];
  new Pager(phase, 'Pager', { topic, alarms: balancerMonitoring.userFacingAlarms });
  new MonthlyBudget(phase, 'MonthlyBudget', { usd: props.monthlyBudget, email: props.alarmEmail });

  new Dashboard(phase, 'Dashboard', {
    widgets: [
      [new TextWidget({ markdown: NEXT_BOTTLENECK, width: 24, height: 5 })],
      ...edgeWidgets(edge),
      ...appWidgets(METRICS_NAMESPACE),
      ...monitoring.flatMap(({ widgets }) => widgets),
    ],
  });

  const drills = new FaultDrills(phase, 'FaultDrills', {
    stopAlarms: balancerMonitoring.userFacingAlarms,
    serverTag: { key: 'Name', value: `${Aws.STACK_NAME}-shop` },
    availabilityZones: phase.network.vpc.availabilityZones,
    spot: capacity.spot,
    databaseArn: database.instance.instanceArn,
    replicationGroupId: sessionCache.replicationGroup.ref,
  });

  addOutputs(phase, {
    Phase: '4',
    Url: phase.address.url,
    OpenSession: fleetSession(fleet),
    DatabaseEndpoint: database.instance.instanceEndpoint.socketAddress,
  });
  return { alarmTopic, drills };
}

const NEXT_BOTTLENECK = `# Phase 4: an elastic fleet
The first alarm or exhausted limit below shows the next bottleneck. **Servers at their maximum, requests shed**: raise it
(\`-c maxServers=40\`). **High event-loop utilization at low CPU**: lower the target of requests per server.
**Connection borrow latency of the proxy, replica CPU**: a larger instance class, more replicas. **CPU of the primary in the
largest class, or one region is not enough**: phase 5. **Jobs late with all workers busy**: more workers, or fix what blocks them.`;
