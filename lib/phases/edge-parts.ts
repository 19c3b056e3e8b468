import { CfnOutput, Fn } from 'aws-cdk-lib';
import { Certificate, CertificateValidation, type ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { WebAcl } from '../tiers/web-acl';
import { ShopStack, type ShopStackProps } from './shop-stack';

/** The only region whose web ACLs and certificates CloudFront accepts. */
export const EDGE_REGION = 'us-east-1';

/** Parts of a CloudFront distribution that must be in us-east-1. */
export interface IEdgeParts {
  readonly webAclArn: string;
  /** Certificate of the domain, if there is one. */
  readonly certificate?: ICertificate;
}

export interface EdgePartsProps {
  /**
   * Domain name of the site. Requires `hostedZoneId`.
   *
   * @default - the distribution's own name and certificate
   */
  readonly domainName?: string;

  /**
   * ID of the public Route 53 hosted zone of `domainName`.
   *
   * @default - none
   */
  readonly hostedZoneId?: string;
}

/** Web ACL and certificate for CloudFront. Its stack must be deployed to us-east-1. */
export class EdgeParts extends Construct implements IEdgeParts {
  readonly webAclArn: string;
  readonly certificate?: ICertificate;

  constructor(scope: Construct, id: string, { domainName, hostedZoneId }: EdgePartsProps = {}) {
    super(scope, id);
    this.webAclArn = new WebAcl(this, 'WebAcl').arn;
    if (domainName && hostedZoneId) {
      const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName: domainName });
      this.certificate = new Certificate(this, 'Certificate', {
        domainName,
        validation: CertificateValidation.fromDns(zone),
      });
    }
  }
}

/**
 * A companion stack in us-east-1 with the edge parts of a shop in another region: `<name of the shop's stack>-edge`.
 *
 * The shop's stack reads its outputs by `Fn::GetStackOutput`, which crosses regions without custom resources, and without an
 * export that would block changes to either stack.
 */
export class EdgeStack extends ShopStack {
  private readonly parts: EdgeParts;

  constructor(scope: Construct, id: string, props: ShopStackProps & EdgePartsProps) {
    super(scope, id, { ...props, stackName: `${props.stackName ?? 'shop'}-edge`, region: EDGE_REGION });
    this.parts = new EdgeParts(this, 'EdgeParts', props);
    new CfnOutput(this, 'WebAclArn', { value: this.parts.webAclArn });
    if (this.parts.certificate) new CfnOutput(this, 'CertificateArn', { value: this.parts.certificate.certificateArn });
  }

  /** Returns references to the parts for a stack in another region, and deploys this stack before it. */
  exportTo(scope: ShopStack): IEdgeParts {
    scope.addStackDependency(this);
    const output = (name: string) => Fn.getStackOutput(this.stackName, name, EDGE_REGION);
    return {
      webAclArn: output('WebAclArn'),
      certificate:
        this.parts.certificate && Certificate.fromCertificateArn(scope, 'EdgeCertificate', output('CertificateArn')),
    };
  }
}
