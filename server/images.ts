// Which images are there, and what are their ids? A few that everyone starts with, one id per region and architecture. Real ids change weekly, so
// these only look real: they follow from the region and the name and never change. Every one of them runs the same machine: this host's Debian
// userland with Amazon Linux's user (docs/gaps.md).

import { derivedId } from './derived-id.ts';

export interface ImageFacts {
  readonly imageId: `ami-${string}`;
  readonly name: string;
  readonly description: string;
  readonly ownerId: string;
  readonly ownerAlias?: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly rootDeviceName: string;
  readonly rootVolumeGiB: number;
  readonly rootVolumeType: string;
  readonly creationDate: string;
  readonly deprecationTime: string;
  /** Public parameters of Systems Manager that name it. */
  readonly parameters: readonly string[];
  /** The image asks for IMDSv2: then HttpTokens is required and the hop limit 2, unless RunInstances says otherwise (H4). */
  readonly imdsV2: boolean;
}

const amazon = { ownerId: '137112412989', ownerAlias: 'amazon' };
const architectures = ['x86_64', 'arm64'] as const;
const debianNames = { x86_64: 'amd64', arm64: 'arm64' } as const;

type Template = Omit<ImageFacts, 'imageId' | 'architecture' | 'name' | 'description' | 'parameters'> & {
  readonly nameOf: (architecture: 'x86_64' | 'arm64') => string;
  readonly descriptionOf: (architecture: 'x86_64' | 'arm64') => string;
  readonly parametersOf: (architecture: 'x86_64' | 'arm64') => readonly string[];
};

// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-ami.html, and the owners' own pages (read 2026-11-21).
const amazonParameters = '/aws/service/ami-amazon-linux-latest';
const ubuntuParameters = (release: string, name: string, volume: string) => (architecture: 'x86_64' | 'arm64') =>
  [release, name].map(
    (one) =>
      `/aws/service/canonical/ubuntu/server/${one}/stable/current/${debianNames[architecture]}/hvm/ebs-${volume}/ami-id`,
  );

const dates = { creationDate: '2026-10-27T22:44:51.000Z', deprecationTime: '2028-10-27T22:44:51.000Z' };

const templates: readonly Template[] = [
  {
    ...amazon, ...dates, rootDeviceName: '/dev/xvda', rootVolumeGiB: 8, rootVolumeType: 'gp3', imdsV2: true,
    nameOf: (architecture) => `al2023-ami-2023.9.20261027.0-kernel-6.1-${architecture}`,
    descriptionOf: (architecture) => `Amazon Linux 2023 AMI 2023.9.20261027.0 ${architecture} HVM kernel-6.1`,
    parametersOf: (architecture) => ['default', '6.1'].map((kernel) => `${amazonParameters}/al2023-ami-kernel-${kernel}-${architecture}`),
  },
  {
    ...amazon, ...dates, rootDeviceName: '/dev/xvda', rootVolumeGiB: 8, rootVolumeType: 'gp2', imdsV2: false,
    nameOf: (architecture) => `amzn2-ami-hvm-2.0.20261020.0-${architecture}-gp2`,
    descriptionOf: (architecture) => `Amazon Linux 2 AMI 2.0.20261020.0 ${architecture} HVM gp2`,
    parametersOf: (architecture) => [`${amazonParameters}/amzn2-ami-hvm-${architecture}-gp2`],
  },
  {
    ...dates, ownerId: '099720109477', rootDeviceName: '/dev/sda1', rootVolumeGiB: 8, rootVolumeType: 'gp3', imdsV2: true,
    nameOf: (architecture) => `ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-${debianNames[architecture]}-server-20261022`,
    descriptionOf: (architecture) => `Canonical, Ubuntu, 24.04, ${debianNames[architecture]} noble image`,
    parametersOf: ubuntuParameters('24.04', 'noble', 'gp3'),
  },
  {
    ...dates, ownerId: '099720109477', rootDeviceName: '/dev/sda1', rootVolumeGiB: 8, rootVolumeType: 'gp2', imdsV2: false,
    nameOf: (architecture) => `ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-${debianNames[architecture]}-server-20261020`,
    descriptionOf: (architecture) => `Canonical, Ubuntu, 22.04 LTS, ${debianNames[architecture]} jammy image`,
    parametersOf: ubuntuParameters('22.04', 'jammy', 'gp2'),
  },
  {
    ...dates, ownerId: '136693071363', rootDeviceName: '/dev/xvda', rootVolumeGiB: 8, rootVolumeType: 'gp3', imdsV2: false,
    nameOf: (architecture) => `debian-12-${debianNames[architecture]}-20261013-2264`,
    descriptionOf: (architecture) => `Debian 12 (20261013-2264) ${debianNames[architecture]}`,
    parametersOf: (architecture) => [`/aws/service/debian/release/12/latest/${debianNames[architecture]}`],
  },
]; // biome-ignore format: a table

/** The images of a region, in a fixed order. */
export function imagesOf(region: string): readonly ImageFacts[] {
  let images = known.get(region);
  if (!images) {
    images = templates.flatMap(({ nameOf, descriptionOf, parametersOf, ...facts }) =>
      architectures.map((architecture) => {
        const name = nameOf(architecture);
        return {
          ...facts,
          imageId: derivedId('ami', region, name),
          architecture,
          name,
          description: descriptionOf(architecture),
          parameters: parametersOf(architecture),
        };
      }),
    );
    known.set(region, images);
  }
  return images;
}

const known = new Map<string, readonly ImageFacts[]>();

/** What an image id that is not in the table runs, and how it is described. */
export const unknownImage = {
  rootDeviceName: '/dev/xvda',
  rootVolumeGiB: 8,
  rootVolumeType: 'gp3',
  imdsV2: false,
} as const;

export function findImage(region: string, imageId: string): ImageFacts | undefined {
  return imagesOf(region).find((image) => image.imageId === imageId);
}
