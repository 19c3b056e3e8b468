import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, type TObject, Type } from '@sinclair/typebox';
import Ajv from 'ajv';
import { parse } from 'csv-parse/sync';
import { UsageError } from '../../support/usage-error';

/** Hours that a month is reckoned with, by AWS and here. */
export const HOURS_PER_MONTH = 730;

/** Days after which a price is called old. */
export const MAX_AGE_DAYS = 180;

export const DATA = join(__dirname, 'data');

const DAY = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'a day such as 2026-07-20' });
const ABOVE_0 = Type.Number({ exclusiveMinimum: 0, description: 'a number above 0' });
const EMPTY = Type.Literal('');

/** A line of `data/<region>.csv`. A price with tiers has a line for each, in rising order. */
const FigureSchema = Type.Object({
  key: Type.String({ pattern: '^[a-z0-9]+(\\.[A-Za-z0-9-]+)+$', description: 'a name such as ec2.t3.micro' }),
  usd: ABOVE_0,
  unit: Type.String({ minLength: 1, description: 'what is counted, such as hour' }),
  /** How many units `usd` is for. */
  per: ABOVE_0,
  /** Units a month up to which it holds; empty for no end. */
  upTo: Type.Union([EMPTY, ABOVE_0], { description: 'a number above 0, or empty' }),
  source: Type.String({ minLength: 1, description: 'an id of sources.csv' }),
  asOf: DAY,
  /** `derived` was computed from figures that were read. */
  status: Type.Union([Type.Literal('read'), Type.Literal('derived')], { description: 'read or derived' }),
});

/** A line of `data/machines.csv`: an EC2 instance type. */
const MachineSchema = Type.Object({
  type: Type.String({ minLength: 1, description: 'an instance type' }),
  vcpus: ABOVE_0,
  memoryGib: ABOVE_0,
  arch: Type.Union([Type.Literal('amd64'), Type.Literal('arm64')], { description: 'amd64 or arm64' }),
  source: Type.String({ minLength: 1, description: 'an id of sources.csv' }),
  asOf: DAY,
  /** `seed` is the project's own starting figure, not AWS's. */
  status: Type.Union([Type.Literal('read'), Type.Literal('seed')], { description: 'read or seed' }),
  /** What spot costs less than on demand, on average; empty when it is not offered. */
  spotSavingPercent: Type.Union([EMPTY, Type.Number({ minimum: 0, maximum: 100 })], { description: '0 to 100' }),
  /** Share of spot instances taken back a month: 0 below 5%, 1 5-10%, 2 10-15%, 3 15-20%, 4 above 20%. */
  interruptionClass: Type.Union([EMPTY, Type.Integer({ minimum: 0, maximum: 4 })], { description: '0 to 4' }),
  spotSource: Type.String(),
  spotAsOf: Type.Union([EMPTY, DAY]),
  /** Mbit/s each way that it has all the time; bursts are above that. Empty when nobody says. */
  networkMbps: Type.Union([EMPTY, ABOVE_0], { description: 'a number above 0, or empty' }),
  networkSource: Type.String(),
  networkAsOf: Type.Union([EMPTY, DAY]),
});

const SourceSchema = Type.Object({ id: Type.String({ minLength: 1 }), what: Type.String({ minLength: 1 }) });

export type Figure = Static<typeof FigureSchema>;
export type Machine = Static<typeof MachineSchema>;

/** The price of one thing. */
export interface Price {
  readonly key: string;
  readonly unit: string;
  readonly source: string;
  /** Day on which it was read. */
  readonly asOf: string;
  readonly status: 'read' | 'derived';
  /** Of one unit, by units a month; the last has no end. */
  readonly tiers: readonly { readonly upTo: number; readonly usd: number }[];
}

/** The prices of one region, from the project's own files below `data/`. What is not in there has no price, never 0. */
export class PriceTable {
  readonly #prices = new Map<string, Price>();
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #sources: ReadonlyMap<string, string>;

  /** @throws when a figure names a source that there is not, or tiers are not in rising order */
  constructor(
    readonly region: string,
    figures: readonly Figure[],
    machines: readonly Machine[],
    sources: ReadonlyMap<string, string>,
  ) {
    for (const figure of figures) this.#add(figure, sources);
    this.#machines = new Map(machines.map((machine) => [machine.type, machine]));
    this.#sources = sources;
  }

  find(key: string): Price | undefined {
    return this.#prices.get(key);
  }

  /** All of them, as they stand in the file. */
  prices(): readonly Price[] {
    return [...this.#prices.values()];
  }

  /** An EC2 instance type. */
  machine(type: string): Machine | undefined {
    return this.#machines.get(type);
  }

  /** What the source of a figure is, in words. */
  source(id: string): string {
    return this.#sources.get(id) as string;
  }

  /** How old these prices are, or all when none are given. */
  age(now: Date, prices: readonly Price[] = this.prices()): PriceAge {
    const days = (price: Price) => Math.floor((now.getTime() - Date.parse(price.asOf)) / 86_400_000);
    const oldest = prices.reduce<Price | undefined>(
      (found, one) => (found === undefined || one.asOf < found.asOf ? one : found),
      undefined,
    );
    return {
      oldest: oldest?.asOf,
      oldestDays: oldest ? days(oldest) : 0,
      old: prices.filter((price) => days(price) > MAX_AGE_DAYS).length,
      count: prices.length,
    };
  }

  #add(figure: Figure, sources: ReadonlyMap<string, string>): void {
    const { key, unit, source, asOf, status } = figure;
    if (!sources.has(source)) throw new Error(`${key}: there is no source "${source}"`);
    const before = this.#prices.get(key)?.tiers ?? [];
    const tier = { upTo: figure.upTo === '' ? Number.POSITIVE_INFINITY : figure.upTo, usd: figure.usd / figure.per };
    if (tier.upTo <= (before.at(-1)?.upTo ?? 0)) throw new Error(`${key}: tiers are not in rising order`);
    this.#prices.set(key, { key, unit, source, asOf, status, tiers: [...before, tier] });
  }
}

export interface PriceAge {
  /** Day on which the oldest was read; undefined when there are none. */
  readonly oldest: string | undefined;
  readonly oldestDays: number;
  /** How many are older than {@link MAX_AGE_DAYS}. */
  readonly old: number;
  readonly count: number;
}

/** US dollars a month for so many units a month. */
export function usdFor(price: Price, units: number): number {
  let from = 0;
  let usd = 0;
  for (const tier of price.tiers) {
    usd += Math.max(0, Math.min(units, tier.upTo) - from) * tier.usd;
    from = tier.upTo;
  }
  return usd;
}

/**
 * @param region such as `us-east-1`
 * @throws UsageError when there is no table for the region
 */
export function readPriceTable(region: string, dir = DATA): PriceTable {
  const file = join(dir, `${region}.csv`);
  if (!/^[a-z0-9-]+$/.test(region) || !existsSync(file)) {
    throw new UsageError(
      `--region ${region}: no prices; there are ${regionsWithPrices(dir).join(', ')}, and ` +
        `"npm run prices -- --refresh --region ${region}" fetches them`,
    );
  }
  const sources = readCsv(join(DATA, 'sources.csv'), SourceSchema).map(({ id, what }) => [id, what] as const);
  const machines = readCsv(join(DATA, 'machines.csv'), MachineSchema);
  return new PriceTable(region, readCsv(file, FigureSchema), machines, new Map(sources));
}

export function regionsWithPrices(dir = DATA): string[] {
  return readdirSync(dir)
    .filter((file) => /^[a-z]+(-[a-z]+)+-\d+\.csv$/.test(file))
    .map((file) => file.replace('.csv', ''));
}

/** @throws naming file, line, column, value and what is allowed */
export function readCsv<T extends TObject>(file: string, schema: T): Static<T>[] {
  const ajv = new Ajv({ coerceTypes: false, strict: false, verbose: true });
  const valid = ajv.compile(schema);
  const rows: Record<string, unknown>[] = parse(readFileSync(file), {
    columns: true,
    cast: (text) => (text !== '' && Number.isFinite(Number(text)) ? Number(text) : text),
  });
  for (const [index, row] of rows.entries()) {
    if (valid(row)) continue;
    const [error] = valid.errors ?? [];
    const column = error?.instancePath.slice(1) || String(error?.params.missingProperty);
    const allowed = schema.properties[column]?.description ?? error?.message;
    throw new Error(`${file}, line ${index + 2}: ${column} "${String(row[column])}": allowed is ${allowed}`);
  }
  return rows as Static<T>[];
}
