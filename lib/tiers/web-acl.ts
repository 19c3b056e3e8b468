import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';

export interface WebAclProps {
  /**
   * Requests that one IP address may make in 5 minutes; what is above gets 403 until it is below again. Mind that a school
   * or an office is one address. 10 to 2,000,000,000.
   *
   * @default 3000
   */
  readonly rateLimit?: number;

  /**
   * The same for the paths that cost most: `POST` to anything that ends with one of `guardedPaths`.
   *
   * @default 100
   */
  readonly guardedRateLimit?: number;

  /**
   * Ends of paths that are worth guarding, such as a log-in, whose password hash costs a server dear.
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
 * A web ACL for CloudFront: rate limits per address, and AWS's managed rules against known attacks.
 *
 *     const webAcl = new WebAcl(this, 'WebAcl');
 *     new Edge(this, 'Edge', { webAclArn: webAcl.arn, ... });
 *
 * CloudFront takes web ACLs of us-east-1 only, so this must be in a stack that is deployed there.
 *
 * Billed: the ACL, each rule, and each million of requests; at the greatest traffic WAF is among the biggest parts of a bill.
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
  if (!first) throw new Error('WebAcl: guardedPaths [] must name at least one path');
  const isPost: CfnWebACL.StatementProperty = {
    byteMatchStatement: {
      fieldToMatch: { method: {} },
      positionalConstraint: 'EXACTLY',
      searchString: 'POST',
      textTransformations: [{ priority: 0, type: 'NONE' }],
    },
  };
  // An OR of one statement is refused.
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
      throw new Error(`WebAcl: ${name} ${value} must be a whole number from 10 to 2000000000`);
    }
  }
}
