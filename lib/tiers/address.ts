import { Annotations, Duration } from 'aws-cdk-lib';
import { ARecord, HostedZone, type IAliasRecordTarget, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';

export interface AddressProps {
  /**
   * Fixed public IPv4 address. Give exactly one of `ip` and `alias`.
   *
   * @default - none
   */
  readonly ip?: string;

  /**
   * A load balancer or distribution, with `aliasDnsName`, the name that AWS gave it.
   *
   * @default - none
   */
  readonly alias?: IAliasRecordTarget;
  readonly aliasDnsName?: string;

  /**
   * Whether the site has HTTPS without a domain as well, as behind CloudFront.
   *
   * @default false
   */
  readonly httpsWithoutDomain?: boolean;

  /**
   * Name under which visitors reach the site, such as `shop.example.com`. Comes together with `hostedZoneId`.
   *
   * @default - the bare IP address, or the name of the alias; plain HTTP
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
 * Where visitors find the site: a DNS record and HTTPS with a domain, else the IP address and plain HTTP (which a
 * warning at synth says, because nobody should log in over it).
 *
 *     const address = new Address(this, 'Address', { ip: box.publicIp, domainName, hostedZoneId });
 *     address.url; // https://shop.example.com
 *
 * When the site moves from an address to an alias, keep the construct's path: CloudFormation then changes the one record. A
 * record under another id would be a second one of the same name, which Route 53 refuses.
 */
export class Address extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: AddressProps) {
    super(scope, id);
    const { ip, alias, aliasDnsName, domainName, hostedZoneId } = props;
    const host = ip ?? aliasDnsName;
    if (host === undefined || !ip === !alias || !alias !== !aliasDnsName) {
      throw new Error(`Address: give ip (${ip}), or alias and aliasDnsName (${aliasDnsName})`);
    }
    if (!domainName !== !hostedZoneId) {
      throw new Error(`Address: domainName (${domainName}) and hostedZoneId (${hostedZoneId}) come together`);
    }

    if (domainName && hostedZoneId) {
      new ARecord(this, 'Record', {
        // The zone's name would only complete a relative record name; here the name is complete.
        zone: HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName: domainName }),
        target: alias ? RecordTarget.fromAlias(alias) : RecordTarget.fromIpAddresses(host),
        // An alias has the time of what it stands for.
        ttl: alias ? undefined : Duration.minutes(1),
      });
      this.url = `https://${domainName}`;
    } else if (props.httpsWithoutDomain) {
      this.url = `https://${host}`;
    } else {
      Annotations.of(this).addWarningV2(
        'scaling-phases:plain-http',
        'The site is served over plain HTTP: passwords travel readable. Give a domain: -c domainName=... -c hostedZoneId=...',
      );
      this.url = `http://${host}`;
    }
  }
}
