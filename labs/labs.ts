// The labs that `postern lab` can run, the main one first.

import { mainLab } from './main-lab.ts';
import { privateSubnetsLab } from './private-subnets-lab.ts';
import type { Lab } from './steps.ts';
import { vpcPartsLab } from './vpc-parts-lab.ts';

export const labs: readonly Lab[] = [mainLab, privateSubnetsLab, vpcPartsLab];
