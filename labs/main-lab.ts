// Lab E: private access to S3 through a gateway endpoint, E1 to E18. Every step is what a person does with the AWS CLI on the laptop or on the
// instance, and every outcome is what AWS shows. The commands are AWS's own; only `postern exec|connect|requests|wait` are not.

import { gatewayEndpointSteps } from './gateway-endpoint-steps.ts';
import { internetSteps } from './internet-steps.ts';
import type { Lab } from './steps.ts';

export const mainLab: Lab = {
  id: 'e',
  title: 'private access to S3 through a gateway endpoint',
  steps: [...internetSteps, ...gatewayEndpointSteps],
};
