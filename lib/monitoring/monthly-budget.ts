import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';

export interface MonthlyBudgetProps {
  /**
   * What the account may cost a month, in USD.
   *
   * @default - no budget
   */
  readonly usd?: number;

  /**
   * Who is told. Comes together with `usd`.
   *
   * @default - nobody
   */
  readonly email?: string;
}

/**
 * Tells by e-mail when 80% of the month's budget is spent, and when the forecast for the month goes beyond it. It counts
 * the whole account, and stops nothing. The first two budgets of an account are free.
 */
export class MonthlyBudget extends Construct {
  constructor(scope: Construct, id: string, props: MonthlyBudgetProps) {
    super(scope, id);
    const { usd, email } = props;
    if (usd === undefined) return;
    if (!(usd > 0)) throw new Error(`MonthlyBudget: usd ${usd} must be above 0`);
    if (!email) throw new Error('MonthlyBudget: email is missing: somebody must be told');

    const tell = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: { notificationType, threshold, thresholdType: 'PERCENTAGE', comparisonOperator: 'GREATER_THAN' },
      subscribers: [{ subscriptionType: 'EMAIL', address: email }],
    });
    new CfnBudget(this, 'Budget', {
      budget: { budgetType: 'COST', timeUnit: 'MONTHLY', budgetLimit: { amount: usd, unit: 'USD' } },
      notificationsWithSubscribers: [tell('ACTUAL', 80), tell('FORECASTED', 100)],
    });
  }
}
