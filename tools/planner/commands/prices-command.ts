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
   * Folder of the tables.
   *
   * @default - the project's own
   */
  readonly dir?: string;
}

/** Region whose table says what is asked for. */
const REFERENCE = 'us-east-1';

/** The verb `prices`: what the table has and how old it is; with `refresh`, reads it anew first. */
export async function prices({ refresh: anew, region, json, dir = DATA }: PricesOptions): Promise<void> {
  if (!/^[a-z]{2}(-[a-z]+)+-\d+$/.test(region)) {
    throw new UsageError(`--region ${region}: allowed is the name of an AWS region such as eu-central-1`);
  }
  const others = anew ? await refreshFile(region, dir) : undefined;
  const found = readPriceTable(region, dir);
  const age = found.age(new Date());
  if (json) {
    // A tier without an end has none in JSON.
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

/** What a refresh did not read, so that nobody takes an old figure for a new one. */
function notReadTable(others: readonly NotRead[]): string {
  const rows = others.map(({ key, fate, asOf, why }) => [key, fate === 'kept' ? `kept, of ${asOf}` : fate, why]);
  return table(['not read', 'what becomes of it', 'why'], rows);
}

async function refreshFile(region: string, dir: string): Promise<readonly NotRead[]> {
  const reference = regionsWithPrices(dir).includes(region) ? region : REFERENCE;
  const say = (line: string) => console.error(`  … ${line}`);
  const day = new Date().toISOString().slice(0, 10);
  const { lines, read, others } = await refresh(readPriceTable(reference, dir), region, day, {}, say).catch((error) => {
    throw new Error(`prices --refresh: the AWS price list did not answer: ${reasonOf(error)}`);
  });
  if (read === 0) {
    throw new Error(`prices --refresh: the AWS price list has nothing for ${region}; nothing is changed`);
  }
  const [head] = readFileSync(join(dir, `${reference}.csv`), 'utf8').split('\n');
  writeFileSync(join(dir, `${region}.csv`), `${[head, ...lines].join('\n')}\n`);
  console.error(`  … ${read} read, ${others.length} not`);
  return others;
}

function reasonOf(error: unknown): string {
  if (missingAwsSetting(error) === 'credentials') {
    return 'there are no AWS credentials (aws configure, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)';
  }
  return (error as Error).message.split('\n')[0] as string;
}
