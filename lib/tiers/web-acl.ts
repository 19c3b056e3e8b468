import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';

export interface WebAclProps {
  /**
   * Requests per IP address in 5 minutes, 10 to 2,000,000,000. Above it WAF returns 403 until the rate drops. A school or
   * an office often shares one address.
   *
   * @default 3000
   */
  readonly rateLimit?: number;

  /**
   * Rate limit for `POST` requests to `guardedPaths`, per IP address in 5 minutes.
   *
   * @default 100
   */
  readonly guardedRateLimit?: number;

  /**
   * Path suffixes with the stricter rate limit, such as login, where each request costs a password hash.
   *
   * @default ['/login', '/signup']
   */
  readonly guardedPaths?: readonly string[];
}

const MANAGED = [
  'AWSManagedRulesAmazonIpReputationList',
  'AWSManagedRulesCommonRuleSet',
  'AWSManagedRulesKnownBadInputsRuleSet',
];

/**
 * A WAF web ACL for CloudFront: rate limits per IP address, and AWS managed rule groups against known attacks.
 *
 *     const webAcl = new WebAcl(this, 'WebAcl');
 *     new Edge(this, 'Edge', { webAclArn: webAcl.arn, ... });
 *
 * CloudFront accepts web ACLs from us-east-1 only, so deploy the stack of this construct there.
 *
 * Billed: the web ACL, each rule, and each million requests. At high traffic WAF is among the largest items of the bill.
 *
 * Fixed cost: $10 a month in phase 4, plus usage (us-east-1, prices of 2024-07; `npm run cost -- phase-4`).
 *
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
 */
export class WebAcl extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string, props: WebAclProps = {}) {
    super(scope, id);
    const { rateLimit = 3000, guardedRateLimit = 100, guardedPaths = ['/login', '/signup'] } = props;
    validate({ rateLimit, guardedRateLimit });

    const acl = new CfnWebACL(this, 'WebAcl', {
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('requests'),
      rules: [
        rateRule(0, 'guarded-paths', guardedRateLimit, postTo(guardedPaths)),
        rateRule(1, 'requests-per-address', rateLimit),
        ...MANAGED.map((name, index) => managedRule(index + 2, name)),
      ],
    });
    this.arn = acl.attrArn;
  }
}

function rateRule(
  priority: number,
  name: string,
  requests: number,
  scopeDownStatement?: CfnWebACL.StatementProperty,
): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    action: { block: {} },
    visibilityConfig: visibility(name),
    statement: {
      rateBasedStatement: { aggregateKeyType: 'IP', limit: requests, evaluationWindowSec: 300, scopeDownStatement },
    },
  };
}

function postTo(paths: readonly string[]): CfnWebACL.StatementProperty {
  const endsWith = (path: string): CfnWebACL.StatementProperty => ({
    byteMatchStatement: {
      fieldToMatch: { uriPath: {} },
      positionalConstraint: 'ENDS_WITH',
      searchString: path,
      textTransformations: [{ priority: 0, type: 'LOWERCASE' }],
    },
  });
  const [first, ...others] = paths.map(endsWith);
  if (!first) throw new Error('WebAcl: guardedPaths must contain at least one path, got [].');
  const isPost: CfnWebACL.StatementProperty = {
    byteMatchStatement: {
      fieldToMatch: { method: {} },
      positionalConstraint: 'EXACTLY',
      searchString: 'POST',
      textTransformations: [{ priority: 0, type: 'NONE' }],
    },
  };
  // WAF rejects an OR statement with a single operand.
  const anyPath = others.length > 0 ? { orStatement: { statements: [first, ...others] } } : first;
  return { andStatement: { statements: [isPost, anyPath] } };
}

function managedRule(priority: number, name: string): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    overrideAction: { none: {} },
    visibilityConfig: visibility(name),
    statement: { managedRuleGroupStatement: { vendorName: 'AWS', name } },
  };
}

function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, sampledRequestsEnabled: true, metricName };
}

function validate(limits: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < 10 || value > 2e9) {
      throw new Error(`WebAcl: ${name} must be a whole number from 10 to 2000000000, got ${value}.`);
    }
  }
}
