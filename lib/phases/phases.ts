/** Facts about a phase for the README, the docs and the planner. */
export interface PhaseSummary {
  /** 1 to 5. */
  readonly number: number;
  /** Id of its stack in the CDK app: `npx cdk deploy phase-1`. */
  readonly id: string;
  readonly className: string;
  /** File in `lib/phases/`. */
  readonly file: string;
  readonly adds: string;
  /** Monthly active users, as a rule of thumb. `npm run plan` recommends a phase from traffic. */
  readonly users: string;
  /** Bottleneck that the next phase removes. */
  readonly breaksNext: string;
  /** Whether the CDK app contains its stack. */
  readonly built: boolean;
}

export const phases: readonly PhaseSummary[] = [
  {
    number: 1,
    id: 'phase-1',
    className: 'SingleBox',
    file: 'phase-1-single-box.ts',
    adds: 'one EC2 instance: the app, and PostgreSQL on its own data volume; scaled up by `-c size=`',
    users: '0-1K',
    breaksNext: 'one machine: a ceiling and a single point of failure',
    built: true,
  },
  {
    number: 2,
    id: 'phase-2',
    className: 'SeparateDatabase',
    file: 'phase-2-separate-database.ts',
    adds: 'the database moves to RDS PostgreSQL',
    users: '1K-10K',
    breaksNext: 'one app server',
    built: true,
  },
  {
    number: 3,
    id: 'phase-3',
    className: 'LoadBalancedFarm',
    file: 'phase-3-load-balanced-farm.ts',
    adds: 'a load balancer, five servers over three AZs, sessions and cache in Valkey, read replicas, Multi-AZ',
    users: '10K-100K',
    breaksNext: 'capacity is fixed by hand; static files and jobs use up server capacity',
    built: true,
  },
  {
    number: 4,
    id: 'phase-4',
    className: 'ElasticFleet',
    file: 'phase-4-elastic-fleet.ts',
    adds: 'Auto Scaling with a Spot mix, CloudFront + S3 + WAF in front, SQS and workers, RDS Proxy',
    users: '100K-1M',
    breaksNext: 'one region, one writer',
    built: true,
  },
  {
    number: 5,
    id: 'phase-5',
    className: 'Distributed',
    file: 'phase-5-distributed.ts',
    adds: 'services by function, data in shards, more than one region, events between services',
    users: '1M+',
    breaksNext: '-',
    built: false,
  },
];
