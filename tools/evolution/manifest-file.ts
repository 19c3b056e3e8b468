import { readFileSync } from 'node:fs';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { UsageError } from '../support/usage-error';
import type { Manifest } from './gate';

const Reason = Type.String({ minLength: 10 });
const Schema = Type.Object(
  {
    resources: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object(
          {
            fate: Type.Union([Type.Literal('removed'), Type.Literal('replaced')]),
            policy: Type.Union(
              (['Delete', 'Snapshot', 'Retain', 'RetainExceptOnCreate'] as const).map((policy) => Type.Literal(policy)),
            ),
            reason: Reason,
          },
          { additionalProperties: false },
        ),
      ),
    ),
    outputs: Type.Optional(Type.Record(Type.String(), Reason)),
    names: Type.Optional(Type.Record(Type.String(), Reason)),
    nested: Type.Optional(Type.Record(Type.String(), Reason)),
  },
  { additionalProperties: false },
);

/**
 * Reads a manifest from a JSON file.
 *
 * @throws UsageError with the JSON path of the invalid entry
 */
export function readManifest(file: string): Manifest {
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--allow must be a JSON file, got ${file}: ${(error as Error).message}`);
  }
  const [problem] = Value.Errors(Schema, found);
  if (problem) throw new UsageError(`--allow ${file}: ${problem.path || '/'}: ${problem.message}`);
  return found as Static<typeof Schema>;
}
