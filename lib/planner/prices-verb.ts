import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lackedFor } from '../aws-access';
import { table } from '../table';
import { UsageError } from '../usage-error';
import { ageLine } from './cost/render';
import { DATA, readPriceTable, regionsWithPrices } from './prices/table';

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
  if (anew) await refreshFile(region, dir);
  const found = readPriceTable(region, dir);
  const age = found.age(new Date());
  if (json) {
    // A tier without an end has none in JSON.
    console.log(JSON.stringify({ region, age, prices: found.prices() }, null, 2));
    return;
  }
  const groups = [...new Set(found.prices().map(({ source }) => source))].map((source) => {
    const all = found.prices().filter((price) => price.source === source);
    const days = all.map(({ asOf }) => asOf).sort();
    return [found.source(source), String(all.length), days[0] ?? '', all[0]?.status ?? ''];
  });
  console.log([table(['source', 'prices', 'oldest', 'status'], groups), ageLine(age)].join('\n\n'));
}

async function refreshFile(region: string, dir: string): Promise<void> {
  const { refresh } = await import('./prices/refresh.js');
  const reference = regionsWithPrices(dir).includes(region) ? region : REFERENCE;
  const say = (line: string) => console.error(`  … ${line}`);
  const day = new Date().toISOString().slice(0, 10);
  const { lines, counts } = await refresh(readPriceTable(reference, dir), region, day, {}, say).catch((error) => {
    throw new Error(`prices --refresh: the AWS price list did not answer: ${reasonOf(error)}`);
  });
  if (counts.read === 0)
    throw new Error(`prices --refresh: the AWS price list has nothing for ${region}; nothing is changed`);
  const [head] = readFileSync(join(dir, `${reference}.csv`), 'utf8').split('\n');
  writeFileSync(join(dir, `${region}.csv`), `${[head, ...lines].join('\n')}\n`);
  console.error(
    `  … ${counts.read} read, ${counts.unanswered} without one exact answer, ${counts.notAsked} that are not asked of the list`,
  );
}

function reasonOf(error: unknown): string {
  if (lackedFor(error) === 'credentials') {
    return 'there are no AWS credentials (aws configure, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)';
  }
  return (error as Error).message.split('\n')[0] as string;
}
