import { readFileSync } from 'node:fs';
import { type Static, type TProperties, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { UsageError } from '../../support/usage-error';
import { DEPENDENCIES } from '../topology/fault';
import { ZONES } from '../topology/snapshot';
import { BALANCES, SESSION_STORES } from '../topology/topology-plan';
import { PROFILES } from '../traffic/profiles';
import { type Action, BOUNDS, LIMITS } from './scenario';

/** `description` completes "must be …" in error messages. */
const whole = (minimum: number, maximum: number) =>
  Type.Integer({ minimum, maximum, description: `a whole number from ${minimum} to ${maximum}` });
const number = (minimum: number, maximum: number) =>
  Type.Number({ minimum, maximum, description: `a number from ${minimum} to ${maximum}` });
const oneOf = <T extends string | number>(allowed: readonly T[]) =>
  Type.Union(
    allowed.map((one) => Type.Literal(one)),
    { description: `one of ${allowed.join(', ')}` },
  ) as unknown as TSchema & { static: T };

const servers = whole(...BOUNDS.servers);
const outage = number(...BOUNDS.outageSeconds);

/** Settings of a scenario. */
export const SETTINGS = {
  servers,
  vcpu: number(...BOUNDS.vcpu),
  sessions: oneOf(SESSION_STORES),
  balance: oneOf(BALANCES),
  layer: oneOf([4, 7] as const),
  replicas: whole(...BOUNDS.replicas),
  shedding: Type.Boolean({ description: 'true or false' }),
  cache: Type.Boolean({ description: 'true or false' }),
  reloads: whole(...BOUNDS.reloads),
  timeScale: number(...BOUNDS.timeScale),
  seconds: whole(...BOUNDS.seconds),
  rps: number(...BOUNDS.rps),
  profile: oneOf(PROFILES),
  factor: number(...BOUNDS.factor),
};

/** Parameters of each action besides `kind`. */
const ACTIONS: Readonly<Record<Action['kind'], TProperties>> = {
  'kill-servers': { count: servers },
  'stop-servers': { count: servers },
  'kill-workers': { count: servers },
  'spot-notice': { count: servers },
  'kill-zone': { zone: oneOf(ZONES) },
  'kill-database': { seconds: outage },
  'kill-replica': { seconds: outage },
  lag: { seconds: outage },
  'kill-redis': { seconds: outage },
  'demote-redis': { seconds: outage },
  'slow-network': { to: oneOf(DEPENDENCIES), delayMs: whole(...BOUNDS.delayMs), seconds: outage },
  deploy: {},
  'next-phase': {},
  resize: { vcpu: SETTINGS.vcpu },
  scale: { servers },
  traffic: { factor: number(0, BOUNDS.factor[1]) },
};

const Settings = Type.Partial(Type.Object(SETTINGS));

export interface ScenarioFile extends Static<typeof Settings> {
  readonly steps: readonly { readonly at: number; readonly action: Action }[];
}

/**
 * Reads a scenario file: a YAML or JSON map of settings, and `steps`. Each step has a time `at` in seconds, a `kind`, and the
 * parameters of that kind:
 *
 *     servers: 5
 *     rps: 200
 *     steps:
 *       - { at: 20, kind: kill-servers, count: 1 }
 *
 * @throws UsageError with one line per problem and its position
 */
export function readScenarioFile(file: string): ScenarioFile {
  const { document, lineOf } = parse(file);
  const content: unknown = document.toJS();
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UsageError(`--scenario must be a file with a map of settings and steps, got ${file}.`);
  }
  const { steps = [], ...settings } = content as Record<string, unknown>;
  const wrong = check(Settings, settings, []);
  if (!Array.isArray(steps) || steps.length > LIMITS.steps) {
    wrong.push({
      path: ['steps'],
      message: `steps must be a list of at most ${LIMITS.steps} steps, got ${Array.isArray(steps) ? steps.length : JSON.stringify(steps)}.`,
    });
  } else {
    steps.forEach((step, index) => {
      wrong.push(...checkStep(step, ['steps', index]));
    });
  }
  if (wrong.length > 0) {
    const lines = wrong.map(({ path, message }) => ({ line: lineOf(path), message })).sort((a, b) => a.line - b.line);
    throw new UsageError(lines.map(({ line, message }) => `${file}:${line}: ${message}`).join('\n'));
  }
  const read = (steps as ({ at: number } & Action)[]).map(({ at, ...action }) => ({ at, action: action as Action }));
  return { ...settings, steps: read };
}

type Path = readonly (string | number)[];

interface Problem {
  readonly path: Path;
  readonly message: string;
}

function parse(file: string): { document: Document; lineOf: (path: Path) => number } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--scenario must be a readable file, got ${file} (${(error as NodeJS.ErrnoException).code}).`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error)
    throw new UsageError(`${file}:${lines.linePos(error.pos[0]).line}: file must be valid YAML: ${error.message}.`);
  // A missing value is reported at its parent.
  const lineOf = (path: Path): number => {
    const node = document.getIn(path, true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    return path.length === 0 ? 1 : lineOf(path.slice(0, -1));
  };
  return { document, lineOf };
}

function checkStep(step: unknown, path: Path): Problem[] {
  const kind = (step as { kind?: unknown } | null)?.kind;
  const takes = ACTIONS[kind as Action['kind']];
  if (takes === undefined) {
    const known = Object.keys(ACTIONS).join(', ');
    return [
      {
        path: [...path, 'kind'],
        message: `${name([...path, 'kind'])} must be one of ${known}, got ${JSON.stringify(kind) ?? 'none'}.`,
      },
    ];
  }
  const at = number(0, LIMITS.seconds);
  return check(Type.Object({ at, kind: Type.String(), ...takes }), step, path);
}

/** Returns invalid, missing and unknown values. */
function check(schema: ReturnType<typeof Type.Object>, value: unknown, path: Path): Problem[] {
  const given = value as Record<string, unknown>;
  const unknown = Object.keys(given).filter((key) => !(key in schema.properties));
  const wrong = [...new Set([...Value.Errors(schema, value)].map((error) => error.path.split('/')[1] as string))];
  const known = Object.keys(schema.properties).join(', ');
  return [
    ...unknown.map((key) => ({
      path: [...path, key],
      message: `Setting must be one of ${known}, got ${name([...path, key])}.`,
    })),
    ...wrong.map((key) => {
      const { description } = schema.properties[key] as TSchema;
      const value = JSON.stringify(given[key]) ?? 'none';
      return { path: [...path, key], message: `${name([...path, key])} must be ${description}, got ${value}.` };
    }),
  ];
}

/** `steps[1].at` */
function name(path: Path): string {
  return path.map((one, index) => (typeof one === 'number' ? `[${one}]` : index === 0 ? one : `.${one}`)).join('');
}
