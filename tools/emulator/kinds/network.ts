import {
  DescribeAddressesCommand,
  DescribeNatGatewaysCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
} from '@aws-sdk/client-ec2';
import { type Kinds, only, type Properties } from './kind';

export const network: Kinds = {
  'AWS::EC2::VPC': {
    expected: (p) => ({ cidr: p.CidrBlock }),
    found: async ({ ec2 }, id) => ({
      cidr: only((await ec2.send(new DescribeVpcsCommand({ VpcIds: [id] }))).Vpcs).CidrBlock,
    }),
  },
  'AWS::EC2::Subnet': {
    expected: (p) => ({ cidr: p.CidrBlock }),
    found: async ({ ec2 }, id) => {
      const subnet = only((await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [id] }))).Subnets);
      return { cidr: subnet.CidrBlock, az: subnet.AvailabilityZone };
    },
  },
  'AWS::EC2::SecurityGroup': {
    expected: (p) => ({ ports: ports(p.SecurityGroupIngress) }),
    found: async ({ ec2 }, id) => {
      const group = only((await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [id] }))).SecurityGroups);
      return { rules: group.IpPermissions?.length };
    },
  },
  'AWS::EC2::EIP': {
    expected: () => ({}),
    found: async ({ ec2 }, ip) => ({
      ip: only((await ec2.send(new DescribeAddressesCommand({ PublicIps: [ip] }))).Addresses).PublicIp,
    }),
  },
  'AWS::EC2::NatGateway': {
    expected: () => ({}),
    found: async ({ ec2 }, id) => {
      const { NatGateways } = await ec2.send(new DescribeNatGatewaysCommand({ NatGatewayIds: [id] }));
      const gateway = only(NatGateways);
      return { ip: gateway.NatGatewayAddresses?.[0]?.PublicIp, state: gateway.State };
    },
  },
};

function ports(ingress: readonly Properties[] | undefined): string | undefined {
  return ingress?.map((rule) => rule.FromPort).join(' ');
}
