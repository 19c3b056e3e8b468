import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingAwsSetting } from '../../support/aws-access';
import { table } from '../../support/table';
import { UsageError } from '../../support/usage-error';
import { ageLine } from '../cost/render';
import { type NotRead, refresh } from '../prices/refresh';
import { DATA, readPriceTable, regionsWithPrices } from '../prices/table';

export interface PricesOptions {
  readonly refresh?: boolean;
  readonly region: string;
  readonly json?: boolean;
  /**
   * Folder of the price tables.
   *
   * @default - `tools/planner/prices/data`
   */
  readonly dir?: string;
}

/** Region whose table lists the prices to read for a new region. */
const REFERENCE = 'us-east-1';

/** Runs the command `prices`: shows the sources and age of the price table, and refreshes it first with `refresh`. */
export async function prices({ refresh: isRefresh, region, json, dir = DATA }: PricesOptions): Promise<void> {
  if (!/^[a-z]{2}(-[a-z]+)+-\d+$/.test(region)) {
    throw new UsageError(`--region must be an AWS Region such as eu-central-1, got ${region}.`);
  }
  const others = isRefresh ? await refreshFile(region, dir) : undefined;
  const found = readPriceTable(region, dir);
  const age = found.age(new Date());
  if (json) {
    // JSON has no Infinity: the upper bound of the last tier becomes null.
    console.log(JSON.stringify({ region, age, notRead: others, prices: found.prices() }, null, 2));
    return;
  }
  const groups = [...new Set(found.prices().map(({ source }) => source))].map((source) => {
    const all = found.prices().filter((price) => price.source === source);
    const days = all.map(({ asOf }) => asOf).sort();
    return [found.source(source), String(all.length), days[0] ?? '', all[0]?.status ?? ''];
  });
  const sources = table(['source', 'prices', 'oldest', 'status'], groups);
  console.log([...(others?.length ? [notReadTable(others)] : []), sources, ageLine(age)].join('\n\n'));
}

/** Lists the prices that a refresh did not read. */
function notReadTable(others: readonly NotRead[]): string {
  const rows = others.map(({ key, fate, asOf, why }) => [key, fate === 'kept' ? `kept, from ${asOf}` : fate, why]);
  return table(['not read', 'result', 'reason'], rows);
}

async function refreshFile(region: string, dir: string): Promise<readonly NotRead[]> {
  const reference = regionsWithPrices(dir).includes(region) ? region : REFERENCE;
  const say = (line: string) => console.error(`  … ${line}`);
  const day = new Date().toISOString().slice(0, 10);
  const { lines, read, others } = await refresh(readPriceTable(reference, dir), region, day, {}, say).catch((error) => {
    throw new Error(`prices --refresh: could not read the AWS price list: ${reasonOf(error)}`);
  });
  if (read === 0) {
    throw new Error(`prices --refresh: the AWS price list has no prices for ${region}. The table is unchanged.`);
  }
  const [head] = readFileSync(join(dir, `${reference}.csv`), 'utf8').split('\n');
  writeFileSync(join(dir, `${region}.csv`), `${[head, ...lines].join('\n')}\n`);
  console.error(`  … ${read} prices read, ${others.length} not read`);
  return others;
}

function reasonOf(error: unknown): string {
  if (missingAwsSetting(error) === 'credentials') {
    return 'no AWS credentials: run aws configure, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  }
  return (error as Error).message.split('\n')[0] as string;
}
