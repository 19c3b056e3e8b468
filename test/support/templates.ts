import type { ElasticProps, FarmProps } from '../../lib/phases/shop-props';
import { sharedSync } from './shared';

/** Templates of the phases, for tests that make no constructs: CDK is loaded only where no test file has made them yet. */

export type PhaseId = 'phase-1' | 'phase-2' | 'phase-3' | 'phase-4';

export type PhaseProps = Partial<FarmProps & ElasticProps>;

// biome-ignore lint/suspicious/noExplicitAny: a template is whatever CloudFormation takes
export type TemplateJson = { Resources: Record<string, any>; Outputs?: Record<string, any> } & Record<string, any>;

const templates = new Map<string, TemplateJson>();

/** The template of a phase, made once for each set of props; not to be changed. */
export function phaseTemplate(id: PhaseId, props: PhaseProps = {}): TemplateJson {
  const key = JSON.stringify([id, props]);
  const make = () => {
    const { makePhase, templateOf }: typeof import('./stack') = require('./stack');
    return templateOf(makePhase(id, props).stack);
  };
  // What lies in another bundle is not part of the key.
  const made = templates.get(key) ?? (props.appBundle ? make() : sharedSync(`template ${key}`, make));
  templates.set(key, made);
  return made;
}

/** Resources of one type, by logical id. */
// biome-ignore lint/suspicious/noExplicitAny: see TemplateJson
export function resourcesOf(template: TemplateJson, type: string): Record<string, any> {
  return Object.fromEntries(Object.entries(template.Resources).filter(([, resource]) => resource.Type === type));
}
