// What does EC2 answer when a policy says no? UnauthorizedOperation, 403, with an encoded message that sts:DecodeAuthorizationMessage reads (F5).

import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { encodeAuthorizationMessage, messageScope } from '../../authorize/encoded-message.ts';
import { AwsError } from '../../errors.ts';
import type { BaseCall } from '../../service.ts';

export function unauthorizedOperation(call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  const who = request.principal.arn;
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  const encoded = encodeAuthorizationMessage(messageScope(call), request, decision);
  return new AwsError(
    'UnauthorizedOperation',
    403,
    `You are not authorized to perform this operation. User: ${who} is not authorized to perform: ${request.action} on resource: ${request.resource}${reason}. Encoded authorization failure message: ${encoded}`,
  );
}
