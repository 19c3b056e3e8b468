import { CfnOutput, Fn } from 'aws-cdk-lib';
import { Certificate, CertificateValidation, type ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { WebAcl } from '../tiers/web-acl';
import { ShopStack, type ShopStackProps } from './shop-stack';

/** The only region whose web ACLs and certificates CloudFront takes. */
export const EDGE_REGION = 'us-east-1';

/** What CloudFront takes from us-east-1 only. */
export interface IEdgeParts {
  readonly webAclArn: string;
  /** Of the domain, when there is one. */
  readonly certificate?: ICertificate;
}

export interface EdgePartsProps {
  /**
   * Name of the site. Comes together with `hostedZoneId`.
   *
   * @default - CloudFront's own name and certificate
   */
  readonly domainName?: string;

  /**
   * Id of the public Route 53 zone that `domainName` belongs to.
   *
   * @default - none
   */
  readonly hostedZoneId?: string;
}

/** Web ACL and certificate for CloudFront, in a stack that is deployed to us-east-1. */
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
 * The same as a small stack of its own in us-east-1, for a shop in another region: `<name of the shop's stack>-edge`.
 *
 * The shop's stack reads its outputs by `Fn::GetStackOutput`, which crosses regions without functions behind it, and without an
 * export that would keep either stack from changing.
 */
export class EdgeStack extends ShopStack {
  private readonly parts: EdgeParts;

  constructor(scope: Construct, id: string, props: ShopStackProps & EdgePartsProps) {
    super(scope, id, { ...props, stackName: `${props.stackName ?? 'shop'}-edge`, region: EDGE_REGION });
    this.parts = new EdgeParts(this, 'EdgeParts', props);
    new CfnOutput(this, 'WebAclArn', { value: this.parts.webAclArn });
    if (this.parts.certificate) new CfnOutput(this, 'CertificateArn', { value: this.parts.certificate.certificateArn });
  }

  /** Its parts as a stack in another region sees them. */
  seenFrom(scope: ShopStack): IEdgeParts {
    scope.addStackDependency(this);
    const output = (name: string) => Fn.getStackOutput(this.stackName, name, EDGE_REGION);
    return {
      webAclArn: output('WebAclArn'),
      certificate:
        this.parts.certificate && Certificate.fromCertificateArn(scope, 'EdgeCertificate', output('CertificateArn')),
    };
  }
}
