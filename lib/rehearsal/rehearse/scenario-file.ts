import { readFileSync } from 'node:fs';
import { type Static, type TProperties, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { UsageError } from '../../usage-error';
import { DEPENDENCIES } from '../fault';
import { ZONES } from '../topology';
import { PROFILES } from '../traffic/profiles';
import { type Action, LIMITS } from './scenario';

/** `description` completes "must be …" in the line that refuses a value. */
const whole = (minimum: number, maximum: number) =>
  Type.Integer({ minimum, maximum, description: `a whole number from ${minimum} to ${maximum}` });
const number = (minimum: number, maximum: number) =>
  Type.Number({ minimum, maximum, description: `a number from ${minimum} to ${maximum}` });
const oneOf = <T extends string | number>(allowed: readonly T[]) =>
  Type.Union(
    allowed.map((one) => Type.Literal(one)),
    { description: `one of ${allowed.join(', ')}` },
  ) as unknown as TSchema & { static: T };

const servers = whole(1, LIMITS.servers);
const absence = number(1, 120);

/** What a scenario may settle, with the bounds that hold for flags, too. */
export const SETTINGS = {
  servers,
  vcpu: number(0.05, 16),
  sessions: oneOf(['postgres', 'redis', 'cookie', 'memory'] as const),
  balance: oneOf(['roundrobin', 'leastconn', 'source', 'sticky'] as const),
  layer: oneOf([4, 7] as const),
  replicas: whole(0, 5),
  shedding: Type.Boolean({ description: 'true or false' }),
  cache: Type.Boolean({ description: 'true or false' }),
  reloads: whole(0, 10),
  timeScale: number(1, 120),
  seconds: whole(5, LIMITS.seconds),
  rps: number(1, LIMITS.rps),
  profile: oneOf(PROFILES),
  factor: number(1, 50),
};

/** What an action takes besides its kind. */
const ACTIONS: Readonly<Record<Action['kind'], TProperties>> = {
  'kill-servers': { count: servers },
  'stop-servers': { count: servers },
  'kill-workers': { count: servers },
  'spot-notice': { count: servers },
  'kill-zone': { zone: oneOf(ZONES) },
  'kill-database': { seconds: absence },
  'kill-replica': { seconds: absence },
  lag: { seconds: absence },
  'kill-redis': { seconds: absence },
  'demote-redis': { seconds: absence },
  'slow-network': { to: oneOf(DEPENDENCIES), delayMs: whole(1, 5_000), seconds: absence },
  deploy: {},
  'next-phase': {},
  resize: { vcpu: SETTINGS.vcpu },
  scale: { servers },
  traffic: { factor: number(0, 50) },
};

const Settings = Type.Partial(Type.Object(SETTINGS));

export interface ScenarioFile extends Static<typeof Settings> {
  readonly steps: readonly { readonly at: number; readonly action: Action }[];
}

/**
 * Reads a scenario: a JSON object with any of the settings, and `steps`, each with the second `at` which it happens, its `kind`
 * and what that takes:
 *
 *     { "servers": 5, "rps": 200, "seconds": 60, "steps": [{ "at": 20, "kind": "kill-servers", "count": 1 }] }
 *
 * @throws UsageError with one line for everything that is wrong in it
 */
export function readScenarioFile(file: string): ScenarioFile {
  const content = parse(file);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UsageError(`${file}: must be a JSON object`);
  }
  const { steps = [], ...settings } = content as Record<string, unknown>;
  const lines = check(Settings, settings, '');
  if (!Array.isArray(steps) || steps.length > LIMITS.steps) {
    lines.push(`steps: must be a list of at most ${LIMITS.steps}`);
  } else {
    steps.forEach((step, index) => {
      lines.push(...checkStep(step, `steps[${index}]`));
    });
  }
  if (lines.length > 0) throw new UsageError(lines.map((line) => `${file}: ${line}`).join('\n'));
  const read = (steps as ({ at: number } & Action)[]).map(({ at, ...action }) => ({ at, action: action as Action }));
  return { ...settings, steps: read };
}

function parse(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--scenario ${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: is no JSON: ${(error as Error).message}`);
  }
}

function checkStep(step: unknown, where: string): string[] {
  const kind = (step as { kind?: unknown } | null)?.kind;
  const takes = ACTIONS[kind as Action['kind']];
  if (takes === undefined) {
    return [`${where}.kind=${JSON.stringify(kind)}: must be one of ${Object.keys(ACTIONS).join(', ')}`];
  }
  const at = number(0, LIMITS.seconds);
  return check(Type.Object({ at, kind: Type.String(), ...takes }), step, `${where}.`);
}

/** One line for each value that is wrong, missing or unknown. */
function check(schema: ReturnType<typeof Type.Object>, value: unknown, where: string): string[] {
  const given = value as Record<string, unknown>;
  const unknown = Object.keys(given).filter((name) => !(name in schema.properties));
  const wrong = [...new Set([...Value.Errors(schema, value)].map(({ path }) => path.split('/')[1] as string))];
  return [
    ...unknown.map((name) => `${where}${name}: not known; known: ${Object.keys(schema.properties).join(', ')}`),
    ...wrong.map((name) => {
      const { description } = schema.properties[name] as TSchema;
      const shown = given[name] === undefined ? '' : `=${JSON.stringify(given[name])}`;
      return `${where}${name}${shown}: must be ${description}`;
    }),
  ];
}
