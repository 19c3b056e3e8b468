import type { AlarmRule } from './scaling-group';

const MISSING = -1;
const NOT_BREACHING = 0;
const BREACH = 1;

/**
 * A CloudWatch alarm on one-minute data. Missing data points are treated as its rule says. Without any data point the
 * state is INSUFFICIENT_DATA.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 */
export class Alarm {
  state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' = 'INSUFFICIENT_DATA';
  /** Newest data point; undefined when missing. */
  value: number | undefined;

  private readonly minutes: number;
  private readonly points: Int8Array;
  private next = 0;
  private breaching = 0;
  private missing: number;
  private sum = 0;
  private highest = Number.NEGATIVE_INFINITY;
  private lowest = Number.POSITIVE_INFINITY;
  private known = 0;
  private collected = 0;

  constructor(readonly rule: AlarmRule) {
    this.minutes = Math.max(1, Math.round(rule.period / 60));
    this.points = new Int8Array(rule.evaluationPeriods).fill(MISSING);
    this.missing = rule.evaluationPeriods;
  }

  /** Adds the metric of the next minute; `undefined` when none was published. */
  push(value: number | undefined): void {
    if (value !== undefined) {
      this.sum += value;
      this.highest = Math.max(this.highest, value);
      this.lowest = Math.min(this.lowest, value);
      this.known += 1;
    }
    this.collected += 1;
    if (this.collected < this.minutes) return;
    this.value = this.point();
    this.sum = 0;
    this.highest = Number.NEGATIVE_INFINITY;
    this.lowest = Number.POSITIVE_INFINITY;
    this.known = 0;
    this.collected = 0;
    this.evaluate();
  }

  private point(): number | undefined {
    if (this.known === 0) return undefined;
    if (this.rule.statistic === 'Maximum') return this.highest;
    return this.rule.statistic === 'Minimum' ? this.lowest : this.sum / this.known;
  }

  private evaluate(): void {
    const { value, rule } = this;
    if (value === undefined && rule.missing === 'ignore') return;
    const point = value === undefined ? pointWhenMissing(rule) : breaches(value, rule) ? BREACH : NOT_BREACHING;
    const oldest = this.points[this.next];
    this.points[this.next] = point;
    this.next = (this.next + 1) % this.points.length;
    this.breaching += Number(point === BREACH) - Number(oldest === BREACH);
    this.missing += Number(point === MISSING) - Number(oldest === MISSING);
    if (this.breaching >= rule.datapointsToAlarm) this.state = 'ALARM';
    else this.state = this.missing === this.points.length ? 'INSUFFICIENT_DATA' : 'OK';
  }
}

function pointWhenMissing({ missing }: AlarmRule): number {
  if (missing === 'breaching') return BREACH;
  return missing === 'notBreaching' ? NOT_BREACHING : MISSING;
}

function breaches(value: number, { comparison, threshold }: AlarmRule): boolean {
  switch (comparison) {
    case 'above':
      return value > threshold;
    case 'at or above':
      return value >= threshold;
    case 'below':
      return value < threshold;
    case 'at or below':
      return value <= threshold;
  }
}
