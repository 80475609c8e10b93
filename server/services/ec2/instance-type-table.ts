// Which instance types are there, and what may each carry? vCPUs, memory, interfaces and addresses per interface are AWS's:
// https://docs.aws.amazon.com/ec2/latest/instancetypes/ (read 2026-11-21). A row per family; the sizes of the Nitro families follow one scale.
// Gap: memory and vCPUs are shown and not enforced. Types that are not here are refused.

export interface InstanceTypeFacts {
  readonly instanceType: string;
  readonly vCpus: number;
  readonly memoryMiB: number;
  readonly maxInterfaces: number;
  readonly addressesPerInterface: number;
  readonly architecture: 'x86_64' | 'arm64';
  readonly burstable: boolean;
  readonly hypervisor: 'xen' | 'nitro';
  readonly currentGeneration: boolean;
  readonly freeTier: boolean;
  readonly networkPerformance: string;
  readonly clockGhz: number;
}

/** Size → [vCPUs, interfaces, addresses per interface]. */
type Sizes = Readonly<Record<string, readonly [number, number, number]>>;

const nitroSizes = {
  medium: [1, 2, 4], large: [2, 3, 10], xlarge: [4, 4, 15], '2xlarge': [8, 4, 15], '4xlarge': [16, 8, 30], '8xlarge': [32, 8, 30],
  '12xlarge': [48, 8, 30], '16xlarge': [64, 15, 50], '24xlarge': [96, 15, 50], '32xlarge': [128, 15, 50],
} as const satisfies Sizes; // biome-ignore format: a table
const c5Sizes = {
  large: [2, 3, 10], xlarge: [4, 4, 15], '2xlarge': [8, 4, 15], '4xlarge': [16, 8, 30], '9xlarge': [36, 8, 30], '12xlarge': [48, 8, 30],
  '18xlarge': [72, 15, 50], '24xlarge': [96, 15, 50],
} as const satisfies Sizes; // biome-ignore format: a table

const without = (sizes: Sizes, ...names: string[]): Sizes =>
  Object.fromEntries(Object.entries(sizes).filter(([size]) => !names.includes(size)));
const intelSizes = without(nitroSizes, 'medium');
const armSizes = without(nitroSizes, '24xlarge', '32xlarge');
const m5Sizes = without(nitroSizes, 'medium', '32xlarge');

/** Family → architecture, GiB of memory per vCPU, clock in GHz, sizes. */
const families: Readonly<Record<string, readonly ['x86_64' | 'arm64', number, number, Sizes]>> = {
  m5: ['x86_64', 4, 3.1, m5Sizes], m5a: ['x86_64', 4, 2.5, m5Sizes], m6i: ['x86_64', 4, 3.5, intelSizes], m6a: ['x86_64', 4, 3.6, intelSizes],
  m6g: ['arm64', 4, 2.5, armSizes], m7i: ['x86_64', 4, 3.2, without(intelSizes, '32xlarge')], m7g: ['arm64', 4, 2.6, armSizes],
  c5: ['x86_64', 2, 3.4, c5Sizes], c6i: ['x86_64', 2, 3.5, intelSizes], c6a: ['x86_64', 2, 3.6, intelSizes], c6g: ['arm64', 2, 2.5, armSizes],
  c7i: ['x86_64', 2, 3.2, without(intelSizes, '32xlarge')], c7g: ['arm64', 2, 2.6, armSizes],
  r5: ['x86_64', 8, 3.1, m5Sizes], r6i: ['x86_64', 8, 3.5, intelSizes], r6g: ['arm64', 8, 2.5, armSizes], r7g: ['arm64', 8, 2.6, armSizes],
}; // biome-ignore format: a table

/** Type → vCPUs, GiB, interfaces, addresses per interface. */
const burstable = {
  't2.nano': [1, 0.5, 2, 2], 't2.micro': [1, 1, 2, 2], 't2.small': [1, 2, 3, 4], 't2.medium': [2, 4, 3, 6], 't2.large': [2, 8, 3, 12],
  't2.xlarge': [4, 16, 3, 15], 't2.2xlarge': [8, 32, 3, 15],
  't3.nano': [2, 0.5, 2, 2], 't3.micro': [2, 1, 2, 2], 't3.small': [2, 2, 3, 4], 't3.medium': [2, 4, 3, 6], 't3.large': [2, 8, 3, 12],
  't3.xlarge': [4, 16, 4, 15], 't3.2xlarge': [8, 32, 4, 15],
  't3a.nano': [2, 0.5, 2, 2], 't3a.micro': [2, 1, 2, 2], 't3a.small': [2, 2, 2, 4], 't3a.medium': [2, 4, 3, 6], 't3a.large': [2, 8, 3, 12],
  't3a.xlarge': [4, 16, 4, 15], 't3a.2xlarge': [8, 32, 4, 15],
  't4g.nano': [2, 0.5, 2, 2], 't4g.micro': [2, 1, 2, 2], 't4g.small': [2, 2, 3, 4], 't4g.medium': [2, 4, 3, 6], 't4g.large': [2, 8, 3, 12],
  't4g.xlarge': [4, 16, 4, 15], 't4g.2xlarge': [8, 32, 4, 15],
} as const satisfies Record<string, readonly [number, number, number, number]>; // biome-ignore format: a table

const xen = {
  currentGeneration: false,
  hypervisor: 'xen',
  architecture: 'x86_64',
  burstable: false,
  freeTier: false,
} as const;

const all: readonly InstanceTypeFacts[] = [
  // What RunInstances takes when no type is given.
  {
    ...xen,
    instanceType: 'm1.small',
    vCpus: 1,
    memoryMiB: 1740,
    maxInterfaces: 2,
    addressesPerInterface: 4,
    networkPerformance: 'Low',
    clockGhz: 2,
  },
  ...Object.entries(burstable).map(
    ([instanceType, [vCpus, gib, maxInterfaces, addressesPerInterface]]): InstanceTypeFacts => {
      const family = instanceType.split('.')[0] ?? '';
      const isT2 = family === 't2';
      return {
        instanceType,
        vCpus,
        memoryMiB: gib * 1024,
        maxInterfaces,
        addressesPerInterface,
        architecture: family === 't4g' ? 'arm64' : 'x86_64',
        burstable: true,
        hypervisor: isT2 ? 'xen' : 'nitro',
        currentGeneration: true,
        freeTier: instanceType === 't2.micro' || instanceType === 't3.micro',
        networkPerformance: isT2 ? 'Low to Moderate' : 'Up to 5 Gigabit',
        clockGhz: 2.5,
      };
    },
  ),
  ...Object.entries(families).flatMap(([family, [architecture, gibPerCpu, clockGhz, sizes]]) =>
    Object.entries(sizes).map(
      ([size, [vCpus, maxInterfaces, addressesPerInterface]]): InstanceTypeFacts => ({
        instanceType: `${family}.${size}`,
        vCpus,
        memoryMiB: vCpus * gibPerCpu * 1024,
        maxInterfaces,
        addressesPerInterface,
        architecture,
        burstable: false,
        hypervisor: 'nitro',
        currentGeneration: true,
        freeTier: false,
        networkPerformance: vCpus <= 16 ? 'Up to 10 Gigabit' : '12 Gigabit',
        clockGhz,
      }),
    ),
  ),
];

/** Every type by its name. */
export const instanceTypes: ReadonlyMap<string, InstanceTypeFacts> = new Map(all.map((row) => [row.instanceType, row]));

export const defaultInstanceType = 'm1.small';

export function threadsPerCore(type: InstanceTypeFacts): number {
  return type.architecture === 'arm64' || type.vCpus === 1 || type.hypervisor === 'xen' ? 1 : 2;
}
