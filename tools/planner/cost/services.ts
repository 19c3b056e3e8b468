import { type ResolvedTemplate, referencedId, referencedIds } from '../../cloudformation/resolve';
import { asList, byUsage, fixed, isTrue, type Pricer } from './charges';

export const queue: Pricer = (properties, { usage, template }, id) => {
  // A dead-letter queue only receives failed messages.
  const deadLetters = [...template.resources.values()].some(
    ({ Type, Properties }) =>
      Type === 'AWS::SQS::Queue' && referencedId(Properties?.RedrivePolicy?.deadLetterTargetArn) === id,
  );
  const key = isTrue(properties.FifoQueue) ? 'sqs.fifo' : 'sqs.standard';
  return { charges: [byUsage('calls', key, deadLetters ? 0 : usage?.queueCalls)] };
};

export const bucket: Pricer = () => ({
  charges: [
    byUsage('storage', 's3.storage', undefined),
    byUsage('writes', 's3.put', undefined),
    byUsage('reads', 's3.get', undefined),
  ],
});

export const lambda: Pricer = (properties) => {
  const arch = properties.Architectures?.[0] === 'arm64' ? 'arm64' : 'amd64';
  return {
    charges: [byUsage('calls', 'lambda.requests', undefined), byUsage('time', `lambda.duration.${arch}`, undefined)],
  };
};

export const key: Pricer = () => ({
  charges: [fixed('key', 'kms.key', 1), byUsage('calls', 'kms.calls', undefined)],
});

export const secret: Pricer = () => ({
  charges: [fixed('secret', 'secrets.secret', 1), byUsage('calls', 'secrets.calls', undefined)],
});

export const logGroup: Pricer = (properties, { usage, template }, id) => {
  const ofFlows = [...template.resources.values()].some(
    ({ Type, Properties }) => Type === 'AWS::EC2::FlowLog' && referencedId(Properties?.LogGroupName) === id,
  );
  const logs = serverLogs(template);
  const written = ofFlows ? usage?.flowLogGib : logs.includes(id) && usage ? usage.logGib / logs.length : undefined;
  const months = properties.RetentionInDays === undefined ? undefined : Number(properties.RetentionInDays) / 30;
  return {
    charges: [
      byUsage('logs ingested', 'logs.ingest', written),
      byUsage(
        'logs stored',
        'logs.storage',
        written !== undefined && months !== undefined ? written * months : undefined,
      ),
    ],
  };
};

/** Log groups that launch templates reference. Log volume is distributed evenly among them. */
function serverLogs({ resources }: ResolvedTemplate): string[] {
  const referenced = [...resources.values()]
    .filter(({ Type }) => Type === 'AWS::EC2::LaunchTemplate')
    .flatMap(({ Properties }) => referencedIds(Properties));
  return [...new Set(referenced)].filter((id) => resources.get(id)?.Type === 'AWS::Logs::LogGroup');
}

/** Seconds; alarms with a shorter period are high-resolution and cost more. */
const STANDARD_PERIOD = 60;

/** A metric math alarm is billed for each of its metrics. */
export const alarm: Pricer = (properties) => {
  const metrics = asList(properties.Metrics);
  const periods = [properties.Period, ...metrics.map((metric) => metric.MetricStat?.Period)];
  if (periods.some((period) => Number(period) < STANDARD_PERIOD)) {
    return { unpriced: 'no price for high-resolution alarms' };
  }
  const watched = Math.max(1, metrics.filter(({ MetricStat }) => MetricStat !== undefined).length);
  return { charges: [fixed(watched === 1 ? 'alarm' : `alarm on ${watched} metrics`, 'cloudwatch.alarm', watched)] };
};

export const dashboard: Pricer = () => ({ charges: [fixed('dashboard', 'cloudwatch.dashboard', 1)] });
