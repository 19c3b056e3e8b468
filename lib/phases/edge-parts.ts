import { Certificate, CertificateValidation, type ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { WebAcl } from '../tiers/web-acl';

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

/**
 * What CloudFront takes from us-east-1 only: the web ACL, and the certificate of a domain. In a shop that is deployed there
 * they are part of it; for any other region they are a small stack of their own in us-east-1.
 */
export class EdgeParts extends Construct {
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
