import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';

export interface MonthlyBudgetProps {
  /**
   * Monthly budget of the account, in USD.
   *
   * @default - no budget
   */
  readonly usd?: number;

  /**
   * Email address of the subscriber. Required with `usd`.
   *
   * @default - none
   */
  readonly email?: string;
}

/**
 * Sends an email when 80% of the monthly budget is spent, and when the forecast for the month exceeds it. It covers the whole
 * account and stops no resources. The first two budgets of an account are free.
 */
export class MonthlyBudget extends Construct {
  constructor(scope: Construct, id: string, props: MonthlyBudgetProps) {
    super(scope, id);
    const { usd, email } = props;
    if (usd === undefined) return;
    if (!(usd > 0)) throw new Error(`MonthlyBudget: usd must be greater than 0, got ${usd}.`);
    if (!email) throw new Error(`MonthlyBudget: email must be set together with usd, got ${email}.`);

    const notify = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: { notificationType, threshold, thresholdType: 'PERCENTAGE', comparisonOperator: 'GREATER_THAN' },
      subscribers: [{ subscriptionType: 'EMAIL', address: email }],
    });
    new CfnBudget(this, 'Budget', {
      budget: { budgetType: 'COST', timeUnit: 'MONTHLY', budgetLimit: { amount: usd, unit: 'USD' } },
      notificationsWithSubscribers: [notify('ACTUAL', 80), notify('FORECASTED', 100)],
    });
  }
}
