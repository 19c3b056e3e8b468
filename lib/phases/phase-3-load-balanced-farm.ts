import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { AlarmTopic } from '../monitoring/alarm-topic';
import { Address } from '../tiers/address';
import { Backup } from '../tiers/backup';
import { Database } from '../tiers/database';
import type { FaultDrills } from '../tiers/fault-drills';
import { Fleet } from '../tiers/fleet';
import { LoadBalancer } from '../tiers/load-balancer';
import { Network } from '../tiers/network';
import { ReadReplicas } from '../tiers/read-replicas';
import { RestoreTesting } from '../tiers/restore-testing';
import { SessionCache } from '../tiers/session-cache';
import { SessionSecret } from '../tiers/session-secret';
import { StateKey } from '../tiers/state-key';
import { addOperations } from './operations/load-balanced-farm';
import { boxSize } from './shop-on-box';
import { shopOnFleet } from './shop-on-fleet';
import type { FarmProps } from './shop-props';
import { grantDescribeStack } from './shop-stack';

/**
 * Phase 3, up to 100,000 users: a load balancer in front of identical servers in three zones, sessions and cache in
 * Valkey, reads on replicas, and a standby of the database. Any server may fail at any time.
 *
 *     new LoadBalancedFarm(stack, 'Shop', { appBundle: 'dist/app', servers: 10 });
 *
 * From phase 2: the database stays and gets a standby and replicas. New servers start, and the domain's record moves to the
 * load balancer once their target group is healthy. Then the instance of phase 2 is terminated, with its address and alarms.
 * Its data volume is retained outside of the stack. Sessions move to Valkey on each visitor's next request.
 *
 * Billed on top of phase 2, less the instance, its volume and address: five servers and their disks, the load balancer, NAT
 * gateways, three cache nodes, the standby, two replicas, two more log stores, one more secret.
 *
 * Fixed cost: $578 a month, plus usage (us-east-1, prices of 2024-07 to 2026-10; `npm run cost -- phase-3`).
 *
 * What breaks next: the number of servers is fixed by hand, and static files and jobs use up their CPU.
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
  readonly drills: FaultDrills;

  constructor(scope: Construct, id: string, props: FarmProps) {
    super(scope, id);
    const { servers = 5, replicas = 2, natGateways = 3, layer = 7 } = props;

    this.network = new Network(this, 'Network', { natGateways });
    this.stateKey = new StateKey(this, 'StateKey');
    const { vpc } = this.network;
    const encryptionKey = this.stateKey.key;

    this.sessionSecret = new SessionSecret(this, 'SessionSecret', { encryptionKey });

    this.database = new Database(this, 'Database', { vpc, encryptionKey, databaseName: 'shop', multiAz: true });
    this.readReplicas = new ReadReplicas(this, 'ReadReplicas', {
      vpc,
      encryptionKey,
      source: this.database.instance,
      securityGroup: this.database.securityGroup,
      instanceType: this.database.instanceType,
      count: replicas,
    });
    this.sessionCache = new SessionCache(this, 'SessionCache', { vpc, encryptionKey, userName: 'shop' });

    this.loadBalancer = new LoadBalancer(this, 'LoadBalancer', { vpc, ...props });

    this.fleet = new Fleet(this, 'Fleet', {
      vpc,
      ...shopOnFleet(this, {
        appBundle: props.appBundle,
        maxServers: servers,
        settings: { PHASE: '3', TRUST_PROXY: layer === 7 ? '1' : '0' },
      }),
      instanceTypes: [boxSize(props).instanceType],
      minSize: servers,
      maxSize: servers,
      targetGroupArn: this.loadBalancer.targetGroupArn,
    });
    grantDescribeStack(this.fleet.role);
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
    // Switch DNS once the fleet is healthy.
    this.address.node.addDependency(this.fleet.group);

    this.backup = new Backup(this, 'Backup', { encryptionKey });
    this.backup.addSelection('Database', this.database.instance.instanceArn);
    const restoreTesting = new RestoreTesting(this, 'RestoreTesting', { vaultArn: this.backup.vault.backupVaultArn });
    restoreTesting.addSelection('Database', 'RDS', this.database.instance.instanceArn, {
      dbSubnetGroupName: this.database.subnetGroupName,
    });

    const { alarmTopic, drills } = addOperations(this, { ...props, servers });
    this.alarmTopic = alarmTopic;
    this.drills = drills;
  }
}
