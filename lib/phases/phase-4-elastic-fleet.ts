import { Port } from 'aws-cdk-lib/aws-ec2';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { AlarmTopic } from '../monitoring/alarm-topic';
import { Address } from '../tiers/address';
import { BacklogScaling } from '../tiers/backlog-scaling';
import { Backup } from '../tiers/backup';
import { CloudFrontPrefixList } from '../tiers/cloudfront-prefix-list';
import { Database } from '../tiers/database';
import { DatabaseProxy } from '../tiers/database-proxy';
import { Edge } from '../tiers/edge';
import type { FaultDrills } from '../tiers/fault-drills';
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
import { type ElasticCapacity, elasticCapacity } from './elastic-capacity';
import { addOperations } from './operations/elastic-fleet';
import { CACHEABLE_PATHS, SQL_TIMEOUTS, shopOnFleet } from './shop-on-fleet';
import type { ElasticProps } from './shop-props';
import { grantDescribeStack } from './shop-stack';

/**
 * Phase 4, up to 1,000,000 users: an Auto Scaling fleet, most of it spot; static files, shared pages and a web ACL at the
 * edge; a worker fleet for background jobs; a proxy in front of the database.
 *
 *     new ElasticFleet(stack, 'Shop', { appBundle: 'dist/app' });
 *
 * From phase 3: everything that holds data stays as it is. Servers, load balancer and target group are new resources beside those
 * of phase 3, which serve until the new target group is healthy and the domain's record has moved, and are then deleted. A public
 * load balancer cannot become an internal one, and one fleet cannot register with both.
 *
 * A new fleet starts with `minServers`: the template has no desired capacity, because each deploy would reset the fleet to it in
 * the middle of a peak. Coming from a busy phase 3, first deploy with its number of servers (`-c minServers=5`), and without it
 * once traffic has moved.
 *
 * Billed on top of phase 3: requests and traffic of CloudFront, the web ACL with its rules and requests, RDS Proxy by the
 * vCPUs of the database, a queue by requests, one worker, up to three more log stores, restore tests. Saved: servers that
 * traffic does not need, and up to 90% of those that are spot.
 *
 * Fixed cost: $598 a month, plus usage (us-east-1, prices of 2024-07 to 2026-10; `npm run cost -- phase-4`).
 *
 * What breaks next: one region, and one writer.
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
    const { replicas = 2, natGateways = 3, domainName, hostedZoneId } = props;
    const capacity = elasticCapacity(props);

    this.network = new Network(this, 'Network', { natGateways });
    this.stateKey = new StateKey(this, 'StateKey');
    const { vpc } = this.network;
    const encryptionKey = this.stateKey.key;

    this.sessionSecret = new SessionSecret(this, 'SessionSecret', { encryptionKey });

    this.database = new Database(this, 'Database', { vpc, encryptionKey, databaseName: 'shop', multiAz: true });
    const { instance, instanceType, securityGroup, secret, subnetGroupName } = this.database;

    this.databaseProxy = new DatabaseProxy(this, 'DatabaseProxy', {
      vpc,
      instance,
      secret,
      sessionSettings: SQL_TIMEOUTS,
    });
    this.database.allowFrom('Proxy', this.databaseProxy, 'RDS Proxy');
    this.readReplicas = new ReadReplicas(this, 'ReadReplicas', {
      vpc,
      encryptionKey,
      source: instance,
      securityGroup,
      instanceType,
      count: replicas,
    });
    this.sessionCache = new SessionCache(this, 'SessionCache', { vpc, encryptionKey, userName: 'shop' });
    this.jobs = new JobQueue(this, 'JobQueue', { encryptionKey });

    const domain = { domainName, hostedZoneId };
    this.loadBalancer = new LoadBalancer(this, 'InternalLoadBalancer', { vpc, internal: true, ...domain });
    const cloudFront = new CloudFrontPrefixList(this, 'CloudFront');
    this.loadBalancer.securityGroup.addIngressRule(cloudFront.peer, Port.tcp(domainName ? 443 : 80), 'CloudFront');

    const { webAclArn, certificate } = props.edgeParts ?? new EdgeParts(this, 'EdgeParts', domain);
    this.edge = new Edge(this, 'Edge', {
      loadBalancer: this.loadBalancer.loadBalancer,
      webAclArn,
      domainName,
      certificate,
      ...CACHEABLE_PATHS,
    });

    this.fleet = this.makeServers(props, capacity);
    this.workers = this.makeWorkers(props, capacity);

    this.address = new Address(this, 'Address', {
      alias: new CloudFrontTarget(this.edge.distribution),
      aliasDnsName: this.edge.distribution.distributionDomainName,
      httpsWithoutDomain: true,
      ...domain,
    });
    // Switch DNS once the fleet is healthy.
    this.address.node.addDependency(this.fleet.group);

    this.backup = new Backup(this, 'Backup', { encryptionKey });
    this.backup.addSelection('Database', instance.instanceArn);
    const restoreTesting = new RestoreTesting(this, 'RestoreTesting', { vaultArn: this.backup.vault.backupVaultArn });
    restoreTesting.addSelection('Database', 'RDS', instance.instanceArn, { dbSubnetGroupName: subnetGroupName });

    const { alarmTopic, drills } = addOperations(this, props, capacity);
    this.alarmTopic = alarmTopic;
    this.drills = drills;
  }

  /** Web servers: they enqueue jobs, and upload the static files of a release. */
  private makeServers(props: ElasticProps, capacity: ElasticCapacity): Fleet {
    const { loadBalancer, targetGroup, targetGroupArn } = this.loadBalancer;
    const servers = new Fleet(this, 'ElasticFleet', {
      vpc: this.network.vpc,
      ...shopOnFleet(this, {
        appBundle: props.appBundle,
        maxServers: capacity.maxServers,
        settings: { ...SETTINGS, ASSETS_BUCKET: this.edge.assets.bucketName },
      }),
      ...capacity.servers,
      targetGroupArn,
    });
    grantDescribeStack(servers.role);
    this.jobs.grantSend(servers.role);
    this.edge.grantPublish(servers.role);
    servers.addLaunchDependency(
      this.loadBalancer.allowTo('Fleet', servers, 'The servers'),
      this.database.allowFrom('ElasticFleet', servers, 'Migrations and replicas'),
      this.databaseProxy.allowFrom('ElasticFleet', servers, 'The app on the servers'),
      this.sessionCache.allowFrom('ElasticFleet', servers, 'The app on the servers'),
    );
    new Scaling(this, 'Scaling', {
      groupName: servers.group.ref,
      resourceLabel: `${loadBalancer.loadBalancerFullName}/${targetGroup.targetGroupFullName}`,
      ...capacity.scaling,
    });
    return servers;
  }

  /** Workers: they take jobs from the queue. */
  private makeWorkers(props: ElasticProps, capacity: ElasticCapacity): Fleet {
    const workers = new Fleet(this, 'Workers', {
      vpc: this.network.vpc,
      ...shopOnFleet(this, {
        appBundle: props.appBundle,
        maxServers: capacity.maxServers,
        settings: { ...SETTINGS, SCRIPT: 'worker.js' },
      }),
      ...capacity.workers,
      name: 'worker',
    });
    grantDescribeStack(workers.role);
    this.jobs.grantSend(workers.role);
    this.jobs.grantConsume(workers.role);
    workers.addLaunchDependency(
      this.database.allowFrom('Workers', workers, 'Migrations and replicas'),
      this.databaseProxy.allowFrom('Workers', workers, 'The app on the servers'),
      this.sessionCache.allowFrom('Workers', workers, 'The app on the servers'),
    );
    new BacklogScaling(this, 'WorkerScaling', {
      groupName: workers.group.ref,
      queueName: this.jobs.queue.queueName,
    });
    return workers;
  }
}

/** CloudFront and the load balancer each append to `X-Forwarded-For`. */
const SETTINGS = { PHASE: '4', TRUST_PROXY: '2', VIEWER_PROTOCOL: 'https' } as const;
