import { Annotations, Duration } from 'aws-cdk-lib';
import { ARecord, HostedZone, type IAliasRecordTarget, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';

export interface AddressProps {
  /**
   * Static public IPv4 address. Exactly one of `ip` and `alias` is required.
   *
   * @default - none
   */
  readonly ip?: string;

  /**
   * Alias target: a load balancer or a CloudFront distribution. Requires `aliasDnsName`.
   *
   * @default - none
   */
  readonly alias?: IAliasRecordTarget;

  /**
   * DNS name that AWS assigned to `alias`.
   *
   * @default - none
   */
  readonly aliasDnsName?: string;

  /**
   * Whether the site has HTTPS even without a domain, as behind CloudFront.
   *
   * @default false
   */
  readonly httpsWithoutDomain?: boolean;

  /**
   * Domain name of the site, such as `shop.example.com`. Requires `hostedZoneId`.
   *
   * @default - the IP address, or the DNS name of the alias, over plain HTTP
   */
  readonly domainName?: string;

  /**
   * Id of the public Route 53 hosted zone of `domainName`.
   *
   * @default - none
   */
  readonly hostedZoneId?: string;
}

/**
 * The public URL of the site. With a domain it is a Route 53 record and HTTPS. Without one it is the IP address over plain
 * HTTP, with a warning at synth, because passwords are sent unencrypted.
 *
 *     const address = new Address(this, 'Address', { ip: box.publicIp, domainName, hostedZoneId });
 *     address.url; // https://shop.example.com
 *
 * Keep the construct's path when the site moves from an IP address to an alias, so that CloudFormation updates the record
 * in place. A second logical id for the same name fails, because Route 53 rejects the duplicate record.
 */
export class Address extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: AddressProps) {
    super(scope, id);
    const { ip, alias, aliasDnsName, domainName, hostedZoneId } = props;
    const host = ip ?? aliasDnsName;
    if (host === undefined || !ip === !alias || !alias !== !aliasDnsName) {
      throw new Error(
        `Address: props must contain either ip, or alias and aliasDnsName, got ip ${ip} and aliasDnsName ${aliasDnsName}.`,
      );
    }
    if (!domainName !== !hostedZoneId) {
      throw new Error(
        `Address: domainName and hostedZoneId must be set together, got domainName ${domainName} and ` +
          `hostedZoneId ${hostedZoneId}.`,
      );
    }

    if (domainName && hostedZoneId) {
      new ARecord(this, 'Record', {
        // `zoneName` only completes relative record names. This one is fully qualified.
        zone: HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName: domainName }),
        target: alias ? RecordTarget.fromAlias(alias) : RecordTarget.fromIpAddresses(host),
        // An alias record takes the TTL of its target.
        ttl: alias ? undefined : Duration.minutes(1),
      });
      this.url = `https://${domainName}`;
    } else if (props.httpsWithoutDomain) {
      this.url = `https://${host}`;
    } else {
      Annotations.of(this).addWarningV2(
        'scaling-phases:plain-http',
        'The site is served over plain HTTP: passwords are sent unencrypted. Set a domain: -c domainName=... -c hostedZoneId=...',
      );
      this.url = `http://${host}`;
    }
  }
}
