import { Aws, CfnMapping } from 'aws-cdk-lib';
import { type IPeer, Peer } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

/**
 * The CloudFront origin-facing managed prefix list, as a security group peer.
 *
 *     securityGroup.addIngressRule(new CloudFrontPrefixList(this, 'CloudFront').peer, Port.tcp(443), 'CloudFront');
 *
 * AWS maintains the list. Its id differs per region and never changes, and this map saves a lookup with credentials or a
 * custom resource. In a region missing from the map, CloudFormation rejects the template before it changes anything: add
 * the id that `aws ec2 describe-managed-prefix-lists` shows for `com.amazonaws.global.cloudfront.origin-facing`.
 *
 * The list counts as 55 of the 60 rules that a security group may have, so a security group can use it for one port only.
 *
 * The security group that CloudFront creates for VPC origins would be narrower. It exists only after the first VPC origin
 * of the VPC, and no resource returns its id (https://github.com/aws/aws-cdk/issues/33812).
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/LocationsOfEdgeServers.html
 */
export class CloudFrontPrefixList extends Construct {
  readonly peer: IPeer;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const mapping = new CfnMapping(this, 'Ids', {
      mapping: Object.fromEntries(Object.entries(IDS).map(([region, prefixList]) => [region, { Id: prefixList }])),
    });
    this.peer = Peer.prefixList(mapping.findInMap(Aws.REGION, 'Id'));
  }
}

const IDS = {
  'ap-northeast-1': 'pl-58a04531',
  'ap-northeast-2': 'pl-22a6434b',
  'ap-south-1': 'pl-9aa247f3',
  'ap-southeast-1': 'pl-31a34658',
  'ap-southeast-2': 'pl-b8a742d1',
  'ca-central-1': 'pl-38a64351',
  'eu-central-1': 'pl-a3a144ca',
  'eu-north-1': 'pl-fab65393',
  'eu-west-1': 'pl-4fa04526',
  'eu-west-2': 'pl-93a247fa',
  'eu-west-3': 'pl-75b1541c',
  'sa-east-1': 'pl-5da64334',
  'us-east-1': 'pl-3b927c52',
  'us-east-2': 'pl-b6a144df',
  'us-west-1': 'pl-4ea04527',
  'us-west-2': 'pl-82a045eb',
};
