import { Cron } from 'croner';
import { UsageError } from '../../support/usage-error';
import type { ScheduledAction } from './scaling-group';

interface Upcoming {
  readonly action: ScheduledAction;
  readonly cron: Cron | undefined;
  /** Next run in Unix seconds; infinite when there is none. */
  at: number;
}

/** Scheduled actions of a group, in order of their due times. */
export class Schedule {
  private readonly upcoming: readonly Upcoming[];
  private soonest: number;

  /**
   * @param from Unix seconds; earlier actions are skipped
   * @throws UsageError for an invalid recurrence or time zone
   */
  constructor(actions: readonly ScheduledAction[], from: number) {
    this.upcoming = actions.map((action) => {
      const cron = action.recurrence === undefined ? undefined : parse(action, action.recurrence);
      const first = cron ? next(cron, from - 1) : (action.start ?? Number.POSITIVE_INFINITY);
      return { action, cron, at: first >= from ? first : Number.POSITIVE_INFINITY };
    });
    this.soonest = this.findSoonest();
  }

  /** Returns the actions due since the last call, up to `now` in Unix seconds. */
  due(now: number): readonly ScheduledAction[] {
    if (now < this.soonest) return NONE;
    const due = this.upcoming.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    for (const one of due) one.at = one.cron ? next(one.cron, now) : Number.POSITIVE_INFINITY;
    this.soonest = this.findSoonest();
    return due.map(({ action }) => action);
  }

  private findSoonest(): number {
    return Math.min(...this.upcoming.map(({ at }) => at), Number.POSITIVE_INFINITY);
  }
}

const NONE: readonly ScheduledAction[] = [];

function parse(action: ScheduledAction, recurrence: string): Cron {
  const { timeZone, start, end } = action;
  try {
    const cron = new Cron(recurrence, {
      mode: '5-part',
      timezone: timeZone,
      startAt: start === undefined ? undefined : new Date((start - 1) * 1000),
      stopAt: end === undefined ? undefined : new Date(end * 1000),
    });
    cron.nextRun();
    return cron;
  } catch {
    throw new UsageError(
      `The recurrence of scheduled action ${action.id} must be a five-field cron expression in an IANA time zone, got "${recurrence}" in ${timeZone}.`,
    );
  }
}

/** Next run after a time, in Unix seconds. */
function next(cron: Cron, after: number): number {
  const run = cron.nextRun(new Date(after * 1000));
  return run ? run.getTime() / 1000 : Number.POSITIVE_INFINITY;
}
