import type { BoxSize } from '../../../lib/phases/sizes';
import type { Template, TemplateResource } from '../../cloudformation/template';
import type { Properties } from '../cost/charges';

export interface Scale {
  /** Instance of phases 1 and 2, with its data volume. */
  readonly box?: BoxSize;
  /** Instance type of the servers in phase 3. */
  readonly serverType?: string;
  /** Instance class of the database and its replicas. */
  readonly databaseClass?: string;
  /** Number of read replicas. */
  readonly replicas?: number;
}

/**
 * Returns a phase's template at another scale without a synth. It matches the result of `-c`, and also sets the database
 * class, for which there is no `-c`.
 */
export function scaledTemplate(template: Template, scale: Scale): Template {
  const entries = Object.entries(template.Resources).flatMap(([id, resource]): [string, TemplateResource][] => {
    switch (resource.Type) {
      case 'AWS::EC2::Instance':
        return [[id, withProperties(resource, scale.box && { InstanceType: scale.box.instanceType })]];
      case 'AWS::EC2::Volume':
        return [[id, withProperties(resource, scale.box && volumeOf(scale.box))]];
      case 'AWS::EC2::LaunchTemplate':
        return [[id, withServerType(resource, scale.serverType)]];
      case 'AWS::RDS::DBInstance':
        return databases(id, resource, scale);
      default:
        return [[id, resource]];
    }
  });
  return { ...template, Resources: Object.fromEntries(entries) };
}

function databases(id: string, resource: TemplateResource, scale: Scale): [string, TemplateResource][] {
  const scaled = withProperties(resource, scale.databaseClass ? { DBInstanceClass: scale.databaseClass } : undefined);
  const isReplica = resource.Properties?.SourceDBInstanceIdentifier !== undefined;
  if (!isReplica || scale.replicas === undefined) return [[id, scaled]];
  // Copies of the first replica replace the others.
  if (!/Replica1[0-9A-F]{8}$/.test(id)) return [];
  return Array.from({ length: scale.replicas }, (_, index) => [`${id}Copy${index}`, scaled]);
}

function volumeOf(box: BoxSize): Properties {
  return { Size: box.dataGib, Iops: box.dataIops, Throughput: box.dataThroughput };
}

function withServerType(resource: TemplateResource, type: string | undefined): TemplateResource {
  // The launch template of phases 1 and 2 has no instance type.
  const data = resource.Properties?.LaunchTemplateData;
  if (type === undefined || data?.InstanceType === undefined) return resource;
  return withProperties(resource, { LaunchTemplateData: { ...data, InstanceType: type } });
}

function withProperties(resource: TemplateResource, changed: Properties | undefined): TemplateResource {
  return changed ? { ...resource, Properties: { ...resource.Properties, ...changed } } : resource;
}
