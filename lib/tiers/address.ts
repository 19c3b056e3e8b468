import { Annotations, Duration } from 'aws-cdk-lib';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';

export interface AddressProps {
  /** Fixed public IPv4 address. */
  readonly ip: string;

  /**
   * Name under which visitors reach the site, such as `shop.example.com`. Comes together with `hostedZoneId`.
   *
   * @default - the bare IP address, plain HTTP
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
 */
export class Address extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: AddressProps) {
    super(scope, id);
    const { ip, domainName, hostedZoneId } = props;
    if (!domainName !== !hostedZoneId) {
      throw new Error(`Address: domainName (${domainName}) and hostedZoneId (${hostedZoneId}) come together`);
    }

    if (domainName && hostedZoneId) {
      new ARecord(this, 'Record', {
        // The zone's name would only complete a relative record name; here the name is complete.
        zone: HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName: domainName }),
        target: RecordTarget.fromIpAddresses(ip),
        ttl: Duration.minutes(1),
      });
      this.url = `https://${domainName}`;
    } else {
      Annotations.of(this).addWarningV2(
        'scaling-phases:plain-http',
        'The site is served over plain HTTP: passwords travel readable. Give a domain: -c domainName=... -c hostedZoneId=...',
      );
      this.url = `http://${ip}`;
    }
  }
}
