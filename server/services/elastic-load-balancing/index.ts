// Elastic Load Balancing: Network Load Balancers with TCP listeners (docs/rules/14-load-balancers.md). Application and Gateway Load Balancers, and of network ones
// TLS, UDP, QUIC and client addresses that are preserved: refused by name (docs/gaps.md).

import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import type { BaseCall, Service } from '../../service.ts';
import { listenerOperations } from './listeners.ts';
import { loadBalancerOperations } from './load-balancers.ts';
import { tagOperations } from './tags.ts';
import { targetGroupOperations } from './target-groups.ts';
import { targetOperations } from './targets.ts';

function denied(_call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  const subject = `User: ${request.principal.arn} is not authorized to perform: ${request.action}`;
  return new AwsError('AccessDenied', 403, `${subject} on resource: ${request.resource}${reason}`);
}

export const elasticLoadBalancing: Service = {
  name: 'elastic-load-balancing-v2',
  operations: {
    ...loadBalancerOperations,
    ...targetGroupOperations,
    ...targetOperations,
    ...listenerOperations,
    ...tagOperations,
  },
  denied,
};
