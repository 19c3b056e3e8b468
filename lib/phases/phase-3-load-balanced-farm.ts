import { Aws, CfnOutput } from 'aws-cdk-lib';
import { Dashboard, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import { AlarmTopic } from '../monitoring/alarm-topic';
import { appWidgets } from '../monitoring/app-widgets';
import { DatabaseMonitoring } from '../monitoring/database-monitoring';
import { FleetMonitoring } from '../monitoring/fleet-monitoring';
import { LoadBalancerMonitoring } from '../monitoring/load-balancer-monitoring';
import { MonthlyBudget } from '../monitoring/monthly-budget';
import { ReadReplicasMonitoring } from '../monitoring/read-replicas-monitoring';
import { SessionCacheMonitoring } from '../monitoring/session-cache-monitoring';
import { Address } from '../tiers/address';
import { Backup } from '../tiers/backup';
import { Database } from '../tiers/database';
import { FaultDrills } from '../tiers/fault-drills';
import { Fleet } from '../tiers/fleet';
import { LoadBalancer } from '../tiers/load-balancer';
import { Network } from '../tiers/network';
import { ReadReplicas } from '../tiers/read-replicas';
import { RestoreTesting } from '../tiers/restore-testing';
import { SessionCache } from '../tiers/session-cache';
import { SessionSecret } from '../tiers/session-secret';
import { StateKey } from '../tiers/state-key';
import { maySeePhase } from './may-see-phase';
import { boxSize } from './shop-on-box';
import { METRICS_NAMESPACE, openSession, shopOnFleet } from './shop-on-fleet';
import type { FarmProps } from './shop-props';

/**
 * Phase 3, up to 100,000 users: a load balancer in front of identical servers over three zones, sessions and cache in
 * Valkey, reads on replicas, and a standby of the database. Any server may go at any time.
 *
 *     new LoadBalancedFarm(stack, 'Shop', { appBundle: 'dist/app', servers: 10 });
 *
 * From phase 2: the database stays and gets its standby and replicas; the servers come, and when the balancer calls them
 * healthy, the domain's record moves to it. Then the box goes with its address and alarms. Its data volume is kept, outside
 * of the stack. Sessions are carried over as visitors come back.
 *
 * Billed on top of phase 2, less the box, its volume and address: five servers and their disks, the load balancer, NAT
 * gateways, three cache nodes, the database twice (standby), two replicas, two more log stores, one more secret.
 *
 * What breaks next: the number of servers is fixed by hand, and they spend themselves on static files and jobs.
 */
export class LoadBalancedFarm extends Construct {
  readonly network: Network;
  readonly stateKey: StateKey;
  readonly sessionSecret: SessionSecret;
  readonly database: Database;
  readonly readReplicas: ReadReplicas;
  readonly sessionCache: SessionCache;
  readonly loadBalancer: LoadBalancer;
  readonly fleet: Fleet;
  readonly address: Address;
  readonly backup: Backup;
  readonly alarmTopic: AlarmTopic;

  constructor(scope: Construct, id: string, props: FarmProps) {
    super(scope, id);
    const { servers = 5, replicas = 2, layer = 7 } = props;
    const { instanceType } = boxSize(props);

    this.network = new Network(this, 'Network', { natGateways: props.natGateways ?? 3 });
    const { vpc } = this.network;

    this.stateKey = new StateKey(this, 'StateKey');
    const encryptionKey = this.stateKey.key;

    this.sessionSecret = new SessionSecret(this, 'SessionSecret', { encryptionKey });
    const { secret } = this.sessionSecret;

    this.database = new Database(this, 'Database', { vpc, encryptionKey, databaseName: 'shop', multiAz: true });
    const { secret: databaseSecret } = this.database;

    this.readReplicas = new ReadReplicas(this, 'ReadReplicas', {
      vpc,
      encryptionKey,
      source: this.database.instance,
      securityGroup: this.database.securityGroup,
      instanceType: this.database.instanceType,
      count: replicas,
    });

    this.sessionCache = new SessionCache(this, 'SessionCache', { vpc, encryptionKey, userName: 'shop' });
    const { secret: cacheSecret } = this.sessionCache;

    this.loadBalancer = new LoadBalancer(this, 'LoadBalancer', { vpc, ...props });

    this.fleet = new Fleet(this, 'Fleet', {
      vpc,
      instanceTypes: [instanceType],
      minSize: servers,
      maxSize: servers,
      targetGroupArn: this.loadBalancer.targetGroupArn,
      ...shopOnFleet(props, servers, {
        PHASE: '3',
        SESSION_SECRET_ARN: secret.secretArn,
        DATABASE_SECRET_ARN: databaseSecret.secretArn,
        DATABASE_REPLICA_HOSTS: this.readReplicas.hosts.join(','),
        REDIS_URL: this.sessionCache.url,
        REDIS_SECRET_ARN: cacheSecret.secretArn,
        TRUST_PROXY: layer === 7 ? '1' : '0',
      }),
      secrets: [secret, databaseSecret, cacheSecret],
    });
    maySeePhase(this.fleet.role);
    this.fleet.addLaunchDependency(
      this.loadBalancer.allowTo('Fleet', this.fleet, 'The servers'),
      this.database.allowFrom('Fleet', this.fleet, 'The app on the servers'),
      this.sessionCache.allowFrom('Fleet', this.fleet, 'The app on the servers'),
    );

    this.address = new Address(this, 'Address', {
      alias: new LoadBalancerTarget(this.loadBalancer.loadBalancer),
      aliasDnsName: this.loadBalancer.dnsName,
      ...props,
    });
    // Visitors stay where they are until somebody serves here.
    this.address.node.addDependency(this.fleet.group);

    this.backup = new Backup(this, 'Backup', { encryptionKey });
    this.backup.addSelection('Database', this.database.instance.instanceArn);
    const restoreTesting = new RestoreTesting(this, 'RestoreTesting', { vaultArn: this.backup.vault.backupVaultArn });
    restoreTesting.addSelection('Database', 'RDS', this.database.instance.instanceArn, {
      dbSubnetGroupName: this.database.subnetGroupName,
    });

    this.alarmTopic = new AlarmTopic(this, 'AlarmTopic', { encryptionKey, email: props.alarmEmail });
    const { topic } = this.alarmTopic;
    const { loadBalancer, fleet, database, readReplicas, sessionCache } = this;
    const balancerMonitoring = new LoadBalancerMonitoring(this, 'LoadBalancerMonitoring', { loadBalancer, topic });
    const monitoring = [
      balancerMonitoring,
      new FleetMonitoring(this, 'FleetMonitoring', { fleet, instanceType, minSize: servers, topic }),
      new SessionCacheMonitoring(this, 'SessionCacheMonitoring', { sessionCache, topic }),
      new DatabaseMonitoring(this, 'DatabaseMonitoring', { database, topic }),
      new ReadReplicasMonitoring(this, 'ReadReplicasMonitoring', { readReplicas, topic }),
    ];
    new MonthlyBudget(this, 'MonthlyBudget', { usd: props.monthlyBudget, email: props.alarmEmail });

    new Dashboard(this, 'Dashboard', {
      widgets: [
        [new TextWidget({ markdown: NEXT_WALL, width: 24, height: 4 })],
        ...appWidgets(METRICS_NAMESPACE),
        ...monitoring.flatMap(({ widgets }) => widgets),
      ],
    });

    new FaultDrills(this, 'FaultDrills', {
      stopAlarms: balancerMonitoring.userFacingAlarms,
      serverTag: { key: 'Name', value: `${Aws.STACK_NAME}-shop` },
      availabilityZones: vpc.availabilityZones,
      databaseArn: this.database.instance.instanceArn,
      replicationGroupId: this.sessionCache.replicationGroup.ref,
    });

    new CfnOutput(this, 'Phase', { value: '3' }).overrideLogicalId('Phase');
    new CfnOutput(this, 'Url', { value: this.address.url }).overrideLogicalId('Url');
    new CfnOutput(this, 'OpenSession', { value: openSession(this.fleet) }).overrideLogicalId('OpenSession');
    new CfnOutput(this, 'DatabaseEndpoint', {
      value: this.database.instance.instanceEndpoint.socketAddress,
    }).overrideLogicalId('DatabaseEndpoint');
  }
}

const NEXT_WALL = `# Phase 3: a farm of servers
The next wall is whichever line below comes first to its alarm or its top. **CPU of the servers, event loop of the app, requests
shed**: more servers (\`-c servers=10\`). **CPU of the replicas while the cache hits**: more replicas. **Somebody changes the
number of servers every week, or static files and jobs fill them**: phase 4. **CPU of the primary**: a bigger class; writes have
one place until phase 5.`;
