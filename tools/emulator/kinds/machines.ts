import { DescribeInstancesCommand, DescribeLaunchTemplatesCommand, DescribeVolumesCommand } from '@aws-sdk/client-ec2';
import { gib, type Kinds, only } from './kind';

export const machines: Kinds = {
  'AWS::EC2::Instance': {
    expected: (p) => ({ type: p.InstanceType }),
    found: async ({ ec2 }, id) => {
      const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
      const instance = only(Reservations?.flatMap((reservation) => reservation.Instances ?? []));
      return { type: instance.InstanceType, state: instance.State?.Name };
    },
  },
  'AWS::EC2::Volume': {
    expected: (p) => ({ type: p.VolumeType, size: gib(p.Size), iops: p.Iops, encrypted: p.Encrypted }),
    found: async ({ ec2 }, id) => {
      const volume = only((await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))).Volumes);
      const { VolumeType, Size, Iops, Encrypted, State } = volume;
      return { type: VolumeType, size: gib(Size), iops: Iops, encrypted: Encrypted, state: State };
    },
    notPassedOn: ['type', 'iops', 'encrypted'],
  },
  'AWS::EC2::LaunchTemplate': {
    expected: () => ({}),
    found: async ({ ec2 }, id) => {
      const { LaunchTemplates } = await ec2.send(new DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [id] }));
      return { version: only(LaunchTemplates).LatestVersionNumber };
    },
  },
};
