import { Aws, Fn, RemovalPolicy, Stack, Tags, Token } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogMaxAggregationInterval,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type ISubnet,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export interface NetworkProps {
  /**
   * IPv4 CIDR block of the VPC. Changing it replaces the VPC and everything in it.
   *
   * @default '10.0.0.0/16'
   */
  readonly cidr?: string;

  /**
   * Number of NAT gateways for the app subnets: 0, 1, or 3 (one per availability zone). With 1, all zones lose internet
   * access when its zone fails: running servers keep serving, new ones cannot launch.
   * About 33 USD a month each (0.045 USD an hour, us-east-1, 2026), plus 0.045 USD per GB.
   *
   * @default 0 (the app subnets reach S3 only)
   */
  readonly natGateways?: 0 | 1 | 3;
}

/**
 * A VPC with public, app and data subnets in three availability zones. All CIDR blocks are allocated up front, so that a
 * later phase only adds NAT gateways and routes.
 *
 *     const network = new Network(this, 'Network');
 *     new Box(this, 'Box', { vpc: network.vpc, ... });
 *
 * An environment-agnostic stack reports two zones (https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.Stack.html#availabilityzones);
 * there the network takes the first three that the region returns at deploy time.
 *
 * The app subnets are of type `PRIVATE_WITH_EGRESS` even without a NAT gateway, because the type is part of their logical
 * ids. S3, which also hosts the package repositories of Amazon Linux, is reached through a free gateway endpoint.
 *
 * `restrictDefaultSecurityGroup` is off: it deploys a Lambda-backed custom resource, and nothing here uses the default
 * security group.
 *
 * Fixed cost: $0 a month in phases 1 and 2, $110 in phases 3 and 4, plus usage (us-east-1, prices of 2024-07;
 * `npm run cost -- phase-4`).
 */
export class Network extends Construct {
  readonly vpc: Vpc;

  constructor(scope: Construct, id: string, props: NetworkProps = {}) {
    super(scope, id);

    this.vpc = new Vpc(this, 'Vpc', {
      vpcName: Aws.STACK_NAME,
      ipAddresses: IpAddresses.cidr(props.cidr ?? '10.0.0.0/16'),
      availabilityZones: threeZones(this),
      natGateways: props.natGateways ?? 0,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 22, mapPublicIpOnLaunch: false },
        { name: 'App', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
        { name: 'Data', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 22 },
      ],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    });

    nameSubnets('public', this.vpc.publicSubnets);
    nameSubnets('app', this.vpc.privateSubnets);
    nameSubnets('data', this.vpc.isolatedSubnets);
    this.addFlowLog();
  }

  private addFlowLog(): void {
    const logGroup = new LogGroup(this, 'FlowLog', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const flowLog = this.vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(logGroup),
      trafficType: FlowLogTrafficType.ALL,
      maxAggregationInterval: FlowLogMaxAggregationInterval.TEN_MINUTES,
    });
    Tags.of(flowLog).add('Name', Aws.STACK_NAME);
  }
}

/** @throws if the stack has fewer than three concrete zones */
function threeZones(scope: Construct): string[] {
  const zones = Stack.of(scope).availabilityZones;
  if (zones.length >= 3) return zones.slice(0, 3);
  if (zones.every((zone) => Token.isUnresolved(zone))) return [0, 1, 2].map((index) => Fn.select(index, Fn.getAzs()));
  throw new Error(
    `Network: the stack must have 3 availability zones, got ${zones.join(', ')}. Deploy to a region with three.`,
  );
}

/** Overrides CDK's default `Name` tag, which contains the construct path and so the stack's id. */
function nameSubnets(tier: string, subnets: readonly ISubnet[]): void {
  subnets.forEach((subnet, index) => {
    Tags.of(subnet).add('Name', `${Aws.STACK_NAME}-${tier}-${index + 1}`);
  });
}
