import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, type TObject, Type } from '@sinclair/typebox';
import Ajv from 'ajv';
import { parse } from 'csv-parse/sync';
import { UsageError } from '../../support/usage-error';

/** Hours per month, as AWS calculates. */
export const HOURS_PER_MONTH = 730;

/** Age in days after which a price counts as old. */
export const MAX_AGE_DAYS = 180;

export const DATA = join(__dirname, 'data');

const DAY = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'a date such as 2026-07-20' });
const ABOVE_0 = Type.Number({ exclusiveMinimum: 0, description: 'a number above 0' });
const EMPTY = Type.Literal('');

/** A line of `data/<region>.csv`. A tiered price has one line per tier, in ascending order. */
const FigureSchema = Type.Object({
  key: Type.String({ pattern: '^[a-z0-9]+(\\.[A-Za-z0-9-]+)+$', description: 'a name such as ec2.t3.micro' }),
  usd: ABOVE_0,
  unit: Type.String({ minLength: 1, description: 'a unit such as hour' }),
  /** Number of units that `usd` covers. */
  per: ABOVE_0,
  /** Upper bound of the tier in units per month; empty for none. */
  upTo: Type.Union([EMPTY, ABOVE_0], { description: 'a number above 0, or empty' }),
  source: Type.String({ minLength: 1, description: 'an id of sources.csv' }),
  asOf: DAY,
  /** `derived` prices are calculated from prices that were read. */
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
  /** `seed` is a starting value of the project, not an AWS figure. */
  status: Type.Union([Type.Literal('read'), Type.Literal('seed')], { description: 'read or seed' }),
  /** Mean spot discount on the On-Demand price; empty when spot is not offered. */
  spotSavingPercent: Type.Union([EMPTY, Type.Number({ minimum: 0, maximum: 100 })], { description: '0 to 100' }),
  /** Monthly interruption frequency: 0 below 5%, 1 5-10%, 2 10-15%, 3 15-20%, 4 above 20%. */
  interruptionClass: Type.Union([EMPTY, Type.Integer({ minimum: 0, maximum: 4 })], { description: '0 to 4' }),
  spotSource: Type.String(),
  spotAsOf: Type.Union([EMPTY, DAY]),
  /** Baseline bandwidth in Mbit/s per direction, without bursts; empty when unknown. */
  networkMbps: Type.Union([EMPTY, ABOVE_0], { description: 'a number above 0, or empty' }),
  networkSource: Type.String(),
  networkAsOf: Type.Union([EMPTY, DAY]),
});

const SourceSchema = Type.Object({ id: Type.String({ minLength: 1 }), what: Type.String({ minLength: 1 }) });

export type Figure = Static<typeof FigureSchema>;
export type Machine = Static<typeof MachineSchema>;

/** A price with its tiers. */
export interface Price {
  readonly key: string;
  readonly unit: string;
  readonly source: string;
  /** Date on which it was read. */
  readonly asOf: string;
  readonly status: 'read' | 'derived';
  /** USD per unit, by units per month. The last tier has an infinite upper bound. */
  readonly tiers: readonly { readonly upTo: number; readonly usd: number }[];
}

/** Prices of one region, from the files in `data/`. A missing price is undefined, never 0. */
export class PriceTable {
  readonly #prices = new Map<string, Price>();
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #sources: ReadonlyMap<string, string>;

  /** @throws when a price has an unknown source, or tiers that are not in ascending order */
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

  /** All prices in file order. */
  prices(): readonly Price[] {
    return [...this.#prices.values()];
  }

  /** An EC2 instance type. */
  machine(type: string): Machine | undefined {
    return this.#machines.get(type);
  }

  /** Description of a source. */
  source(id: string): string {
    return this.#sources.get(id) as string;
  }

  /** Age of the prices. @param prices default: all */
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
    if (!sources.has(source)) throw new Error(`${key}: source must be an id of sources.csv, got "${source}"`);
    const before = this.#prices.get(key)?.tiers ?? [];
    const tier = { upTo: figure.upTo === '' ? Number.POSITIVE_INFINITY : figure.upTo, usd: figure.usd / figure.per };
    if (tier.upTo <= (before.at(-1)?.upTo ?? 0)) throw new Error(`${key}: tiers must be in ascending order`);
    this.#prices.set(key, { key, unit, source, asOf, status, tiers: [...before, tier] });
  }
}

export interface PriceAge {
  /** Date of the oldest price; undefined without prices. */
  readonly oldest: string | undefined;
  readonly oldestDays: number;
  /** Number of prices older than {@link MAX_AGE_DAYS}. */
  readonly old: number;
  readonly count: number;
}

/** USD per month for units per month. */
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
      `--region must be a region with prices (${regionsWithPrices(dir).join(', ')}), got ${region}. ` +
        `Run "npm run prices -- --refresh --region ${region}" to add it.`,
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

/** @throws with file, line, column, value and allowed values */
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
    throw new Error(`${file}, line ${index + 2}: ${column} must be ${allowed}, got "${String(row[column])}"`);
  }
  return rows as Static<T>[];
}
