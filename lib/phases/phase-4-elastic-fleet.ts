import { Aws, CfnOutput, Duration } from 'aws-cdk-lib';
import { Dashboard, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { InstanceType, Port } from 'aws-cdk-lib/aws-ec2';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import { AlarmTopic } from '../monitoring/alarm-topic';
import { appWidgets } from '../monitoring/app-widgets';
import { DatabaseMonitoring } from '../monitoring/database-monitoring';
import { edgeWidgets } from '../monitoring/edge-widgets';
import { ElasticityMonitoring } from '../monitoring/elasticity-monitoring';
import { FleetMonitoring } from '../monitoring/fleet-monitoring';
import { LoadBalancerMonitoring } from '../monitoring/load-balancer-monitoring';
import { MonthlyBudget } from '../monitoring/monthly-budget';
import { Pager } from '../monitoring/pager';
import { ProxyMonitoring } from '../monitoring/proxy-monitoring';
import { QueueMonitoring } from '../monitoring/queue-monitoring';
import { ReadReplicasMonitoring } from '../monitoring/read-replicas-monitoring';
import { SessionCacheMonitoring } from '../monitoring/session-cache-monitoring';
import { Address } from '../tiers/address';
import { BacklogScaling } from '../tiers/backlog-scaling';
import { Backup } from '../tiers/backup';
import { CloudFrontPrefixList } from '../tiers/cloudfront-prefix-list';
import { Database } from '../tiers/database';
import { DatabaseProxy } from '../tiers/database-proxy';
import { Edge } from '../tiers/edge';
import { FaultDrills } from '../tiers/fault-drills';
import { Fleet } from '../tiers/fleet';
import { JobQueue } from '../tiers/job-queue';
import { LoadBalancer } from '../tiers/load-balancer';
import { Network } from '../tiers/network';
import { ReadReplicas } from '../tiers/read-replicas';
import { RestoreTesting } from '../tiers/restore-testing';
import { Scaling } from '../tiers/scaling';
import { SessionCache } from '../tiers/session-cache';
import { SessionSecret } from '../tiers/session-secret';
import { StateKey } from '../tiers/state-key';
import { EdgeParts } from './edge-parts';
import { maySeePhase } from './may-see-phase';
import { METRICS_NAMESPACE, openSession, shopOnFleet } from './shop-on-fleet';
import type { ElasticProps } from './shop-props';
import { ELASTIC_INSTANCE_TYPES } from './sizes';

/**
 * Phase 4, up to 1,000,000 users: a fleet that grows and shrinks by itself, most of it spot; static files, shared pages and
 * a firewall at the edge; background jobs on workers of their own; a proxy in front of the database.
 *
 *     new ElasticFleet(stack, 'Shop', { appBundle: 'dist/app' });
 *
 * From phase 3: all that holds data stays as it is. Servers, load balancer and target group are new ones beside those of
 * phase 3, which serve until the new ones do and the domain's record has moved; then they go. A public load balancer cannot
 * become an internal one, and one fleet cannot serve two at once.
 *
 * A new fleet begins with `minServers`, because no desired capacity is in the template: each deploy would set the fleet back
 * to it, in the middle of a peak. Coming from a busy phase 3, deploy with its number (`-c minServers=5`) first, and without
 * it once traffic has moved.
 *
 * Billed on top of phase 3: requests and traffic of CloudFront, the web ACL with its rules and requests, RDS Proxy by the
 * vCPUs of the database, a queue by requests, one worker, another log store or three, restore tests. Off: servers that are
 * not needed, and up to 90% of those that are spot.
 *
 * What breaks next: one region, and one place that writes.
 */
export class ElasticFleet extends Construct {
  readonly network: Network;
  readonly stateKey: StateKey;
  readonly sessionSecret: SessionSecret;
  readonly database: Database;
  readonly databaseProxy: DatabaseProxy;
  readonly readReplicas: ReadReplicas;
  readonly sessionCache: SessionCache;
  readonly jobs: JobQueue;
  readonly loadBalancer: LoadBalancer;
  readonly edge: Edge;
  readonly fleet: Fleet;
  readonly workers: Fleet;
  readonly address: Address;
  readonly backup: Backup;
  readonly alarmTopic: AlarmTopic;
  readonly drills: FaultDrills;

  constructor(scope: Construct, id: string, props: ElasticProps) {
    super(scope, id);
    const { minServers = 2, maxServers = 20, maxWorkers = 10, spot = true, domainName, hostedZoneId } = props;

    this.network = new Network(this, 'Network', { natGateways: props.natGateways ?? 3 });
    const { vpc } = this.network;

    this.stateKey = new StateKey(this, 'StateKey');
    const encryptionKey = this.stateKey.key;

    this.sessionSecret = new SessionSecret(this, 'SessionSecret', { encryptionKey });
    const { secret } = this.sessionSecret;

    this.database = new Database(this, 'Database', { vpc, encryptionKey, databaseName: 'shop', multiAz: true });
    const { instance, instanceType, securityGroup, secret: databaseSecret } = this.database;

    this.databaseProxy = new DatabaseProxy(this, 'DatabaseProxy', {
      vpc,
      instance,
      secret: databaseSecret,
      sessionSettings: { statement_timeout: '5s', idle_in_transaction_session_timeout: '5s' },
    });
    this.database.allowFrom('Proxy', this.databaseProxy, 'RDS Proxy');

    this.readReplicas = new ReadReplicas(this, 'ReadReplicas', {
      vpc,
      encryptionKey,
      source: instance,
      securityGroup,
      instanceType,
      count: props.replicas ?? 2,
    });

    this.sessionCache = new SessionCache(this, 'SessionCache', { vpc, encryptionKey, userName: 'shop' });
    const { secret: cacheSecret } = this.sessionCache;

    this.jobs = new JobQueue(this, 'JobQueue', { encryptionKey });

    this.loadBalancer = new LoadBalancer(this, 'InternalLoadBalancer', {
      vpc,
      internal: true,
      domainName,
      hostedZoneId,
    });
    const cloudFront = new CloudFrontPrefixList(this, 'CloudFront');
    this.loadBalancer.securityGroup.addIngressRule(cloudFront.peer, Port.tcp(domainName ? 443 : 80), 'CloudFront');

    const { webAclArn, certificate } =
      props.edgeParts ?? new EdgeParts(this, 'EdgeParts', { domainName, hostedZoneId });
    this.edge = new Edge(this, 'Edge', {
      loadBalancer: this.loadBalancer.loadBalancer,
      webAclArn,
      domainName,
      certificate,
      cachedPaths: ['/', '/products/*'],
      cachedPathsIgnoringCookies: ['/api/products*'],
    });

    const onFleet = (settings: { SCRIPT?: 'worker.js'; ASSETS_BUCKET?: string }) => ({
      vpc,
      ...shopOnFleet(props, maxServers + maxWorkers, {
        PHASE: '4',
        SESSION_SECRET_ARN: secret.secretArn,
        DATABASE_SECRET_ARN: databaseSecret.secretArn,
        DATABASE_PROXY_HOST: this.databaseProxy.host,
        DATABASE_REPLICA_HOSTS: this.readReplicas.hosts.join(','),
        REDIS_URL: this.sessionCache.url,
        REDIS_SECRET_ARN: cacheSecret.secretArn,
        QUEUE_URL: this.jobs.queue.queueUrl,
        TRUST_PROXY: '2',
        VIEWER_PROTOCOL: 'https',
        ...settings,
      }),
      secrets: [secret, databaseSecret, cacheSecret],
    });
    const waysOf = (name: string, servers: Fleet) => [
      this.database.allowFrom(name, servers, 'Migrations and replicas'),
      this.databaseProxy.allowFrom(name, servers, 'The app on the servers'),
      this.sessionCache.allowFrom(name, servers, 'The app on the servers'),
    ];

    this.fleet = new Fleet(this, 'ElasticFleet', {
      ...onFleet({ ASSETS_BUCKET: this.edge.assets.bucketName }),
      instanceTypes: SERVERS,
      minSize: minServers,
      maxSize: maxServers,
      onDemandBaseCapacity: 2,
      onDemandPercentageAboveBase: spot ? 0 : 100,
      targetGroupArn: this.loadBalancer.targetGroupArn,
      healthCheckGracePeriod: Duration.seconds(120),
    });
    maySeePhase(this.fleet.role);
    this.jobs.grantSend(this.fleet.role);
    this.edge.grantPublish(this.fleet.role);
    this.fleet.addLaunchDependency(
      this.loadBalancer.allowTo('Fleet', this.fleet, 'The servers'),
      ...waysOf('ElasticFleet', this.fleet),
    );
    new Scaling(this, 'Scaling', {
      groupName: this.fleet.group.ref,
      minSize: minServers,
      maxSize: maxServers,
      resourceLabel: `${this.loadBalancer.loadBalancer.loadBalancerFullName}/${this.loadBalancer.targetGroup.targetGroupFullName}`,
      scheduledActions: [
        { name: 'Morning', cron: '0 7 * * *', minSize: Math.min(maxServers, minServers + 2) },
        { name: 'Night', cron: '0 23 * * *', minSize: minServers },
      ],
      timeZone: props.timeZone,
      predictiveMode: props.predictive,
    });

    this.workers = new Fleet(this, 'Workers', {
      ...onFleet({ SCRIPT: 'worker.js' }),
      name: 'worker',
      instanceTypes: SERVERS,
      minSize: 1,
      maxSize: maxWorkers,
      onDemandPercentageAboveBase: spot ? 0 : 100,
    });
    maySeePhase(this.workers.role);
    this.jobs.grantSend(this.workers.role);
    this.jobs.grantConsume(this.workers.role);
    this.workers.addLaunchDependency(...waysOf('Workers', this.workers));
    new BacklogScaling(this, 'WorkerScaling', {
      groupName: this.workers.group.ref,
      queueName: this.jobs.queue.queueName,
    });

    this.address = new Address(this, 'Address', {
      alias: new CloudFrontTarget(this.edge.distribution),
      aliasDnsName: this.edge.distribution.distributionDomainName,
      httpsWithoutDomain: true,
      domainName,
      hostedZoneId,
    });
    // Visitors stay where they are until somebody serves here.
    this.address.node.addDependency(this.fleet.group);

    this.backup = new Backup(this, 'Backup', { encryptionKey });
    this.backup.addSelection('Database', instance.instanceArn);
    const restoreTesting = new RestoreTesting(this, 'RestoreTesting', { vaultArn: this.backup.vault.backupVaultArn });
    restoreTesting.addSelection('Database', 'RDS', instance.instanceArn, {
      dbSubnetGroupName: this.database.subnetGroupName,
    });

    this.alarmTopic = new AlarmTopic(this, 'AlarmTopic', { encryptionKey, email: props.alarmEmail });
    const { topic } = this.alarmTopic;
    const { loadBalancer, fleet, workers, jobs, database, databaseProxy, readReplicas, sessionCache } = this;
    const balancerMonitoring = new LoadBalancerMonitoring(this, 'LoadBalancerMonitoring', { loadBalancer, topic });
    const monitoring = [
      new ElasticityMonitoring(this, 'ElasticityMonitoring', { fleet, maxSize: maxServers, topic }),
      balancerMonitoring,
      new FleetMonitoring(this, 'FleetMonitoring', {
        fleet,
        instanceType: PREFERRED,
        minSize: minServers,
        topic,
      }),
      new QueueMonitoring(this, 'QueueMonitoring', { jobs, workers, topic }),
      new SessionCacheMonitoring(this, 'SessionCacheMonitoring', { sessionCache, topic }),
      new DatabaseMonitoring(this, 'DatabaseMonitoring', { database, topic }),
      new ProxyMonitoring(this, 'ProxyMonitoring', { proxy: databaseProxy, topic }),
      new ReadReplicasMonitoring(this, 'ReadReplicasMonitoring', { readReplicas, topic }),
    ];
    new Pager(this, 'Pager', { topic, alarms: balancerMonitoring.userFacingAlarms });
    new MonthlyBudget(this, 'MonthlyBudget', { usd: props.monthlyBudget, email: props.alarmEmail });

    new Dashboard(this, 'Dashboard', {
      widgets: [
        [new TextWidget({ markdown: NEXT_WALL, width: 24, height: 5 })],
        ...edgeWidgets(this.edge),
        ...appWidgets(METRICS_NAMESPACE),
        ...monitoring.flatMap(({ widgets }) => widgets),
      ],
    });

    this.drills = new FaultDrills(this, 'FaultDrills', {
      stopAlarms: balancerMonitoring.userFacingAlarms,
      serverTag: { key: 'Name', value: `${Aws.STACK_NAME}-shop` },
      availabilityZones: vpc.availabilityZones,
      spot,
      databaseArn: instance.instanceArn,
      replicationGroupId: this.sessionCache.replicationGroup.ref,
    });

    new CfnOutput(this, 'Phase', { value: '4' }).overrideLogicalId('Phase');
    new CfnOutput(this, 'Url', { value: this.address.url }).overrideLogicalId('Url');
    new CfnOutput(this, 'OpenSession', { value: openSession(this.fleet) }).overrideLogicalId('OpenSession');
    new CfnOutput(this, 'DatabaseEndpoint', { value: instance.instanceEndpoint.socketAddress }).overrideLogicalId(
      'DatabaseEndpoint',
    );
  }
}

const SERVERS = ELASTIC_INSTANCE_TYPES.map((name) => new InstanceType(name));
const PREFERRED = SERVERS[0] as InstanceType;

const NEXT_WALL = `# Phase 4: an elastic fleet
The next wall is whichever line below comes first to its alarm or its top. **Servers at their maximum, requests shed**: raise it
(\`-c maxServers=40\`). **Event loop of the app full while the CPU is not**: aim at fewer requests for each server.
**Wait for a connection at the proxy, CPU of the replicas**: a bigger class, more replicas. **CPU of the primary at the top of
its classes, or one region is not enough**: phase 5. **Jobs late with all workers busy**: more workers, or what they wait for.`;
