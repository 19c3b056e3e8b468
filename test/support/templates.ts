import type { ElasticProps, FarmProps } from '../../lib/phases/shop-props';
import { sharedSync } from './shared';

/** Templates of the phases, for tests without constructs. CDK is loaded only for templates that are not cached yet. */

export type PhaseId = 'phase-1' | 'phase-2' | 'phase-3' | 'phase-4';

export type PhaseProps = Partial<FarmProps & ElasticProps>;

// biome-ignore lint/suspicious/noExplicitAny: a template is arbitrary JSON
export type TemplateJson = { Resources: Record<string, any>; Outputs?: Record<string, any> } & Record<string, any>;

const templates = new Map<string, TemplateJson>();

/** Returns the template of a phase, cached per set of props. Callers must not modify it. */
export function phaseTemplate(id: PhaseId, props: PhaseProps = {}): TemplateJson {
  const key = JSON.stringify([id, props]);
  const make = () => {
    const { makePhase, templateOf }: typeof import('./stack') = require('./stack');
    return templateOf(makePhase(id, props).stack);
  };
  // The key does not cover the content of a custom app bundle.
  const template = templates.get(key) ?? (props.appBundle ? make() : sharedSync(`template ${key}`, make));
  templates.set(key, template);
  return template;
}

/** Returns the resources of one type, keyed by logical id. */
// biome-ignore lint/suspicious/noExplicitAny: see TemplateJson
export function resourcesOf(template: TemplateJson, type: string): Record<string, any> {
  return Object.fromEntries(Object.entries(template.Resources).filter(([, resource]) => resource.Type === type));
}
