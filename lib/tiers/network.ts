import { Aws, RemovalPolicy, Tags } from 'aws-cdk-lib';
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
   * IPv4 range of the VPC. It cannot change later without replacing everything in it.
   *
   * @default '10.0.0.0/16'
   */
  readonly cidr?: string;

  /**
   * NAT gateways, through which the app subnets reach the internet: 0, 1, or 3 for one in each zone. One is a third of the
   * price, and takes the way out of all zones along when its zone fails: servers that run go on, new ones cannot start.
   * About 33 USD a month each (0.045 USD an hour, us-east-1, 2026), and 0.045 USD for each GB.
   *
   * @default 0 (the app subnets reach S3 only)
   */
  readonly natGateways?: 0 | 1 | 3;
}

/**
 * A VPC with public, app and data subnets in three availability zones, all reserved from the first day: a later phase
 * adds NAT gateways and routes, and never moves a CIDR.
 *
 *     const network = new Network(this, 'Network');
 *     new Box(this, 'Box', { vpc: network.vpc, ... });
 *
 * The stack must offer three zones. One that knows neither account nor region offers two, so there override
 * `availabilityZones` with `Fn.select(0..2, Fn.getAzs())`.
 *
 * The app subnets are of the type "private with egress" even while there is no NAT gateway: that type is part of their
 * logical ids. S3, and with it the package repositories of Amazon Linux, is reached through a gateway endpoint,
 * which is free.
 *
 * The default security group keeps its rules: `restrictDefaultSecurityGroup` would bring a Lambda function, and nothing
 * here is a member of that group.
 */
export class Network extends Construct {
  readonly vpc: Vpc;

  constructor(scope: Construct, id: string, props: NetworkProps = {}) {
    super(scope, id);

    this.vpc = new Vpc(this, 'Vpc', {
      vpcName: Aws.STACK_NAME,
      ipAddresses: IpAddresses.cidr(props.cidr ?? '10.0.0.0/16'),
      maxAzs: 3,
      natGateways: props.natGateways ?? 0,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 22, mapPublicIpOnLaunch: false },
        { name: 'App', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
        { name: 'Data', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 22 },
      ],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    });
    if (this.vpc.availabilityZones.length < 3) {
      throw new Error(
        `Network needs a stack with 3 availability zones, got ${this.vpc.availabilityZones.length}: override the ` +
          "stack's availabilityZones (see the documentation of Network)",
      );
    }

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

/** CDK names subnets after their construct path, which has the name of the stack's id in it; these names never move. */
function nameSubnets(tier: string, subnets: readonly ISubnet[]): void {
  subnets.forEach((subnet, index) => {
    Tags.of(subnet).add('Name', `${Aws.STACK_NAME}-${tier}-${index + 1}`);
  });
}
