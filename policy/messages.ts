// AWS's words for a denial (7.5, F1): what follows `on resource: …`, and the sentence in front of it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html (read 2026-11-21)

import type { AuthorizationRequest, Decision, PolicyLayer } from './types.ts';

const LAYER_WORDS: Readonly<Record<PolicyLayer, { readonly implicit: string; readonly explicit: string }>> = {
  identity: { implicit: 'identity-based policy', explicit: 'an identity-based policy' },
  resource: { implicit: 'resource-based policy', explicit: 'a resource-based policy' },
  boundary: { implicit: 'permissions boundary', explicit: 'a permissions boundary' },
  session: { implicit: 'session policy', explicit: 'a session policy' },
  scp: { implicit: 'service control policy', explicit: 'a service control policy' },
  rcp: { implicit: 'resource control policy', explicit: 'a resource control policy' },
  endpoint: { implicit: 'VPC endpoint policy', explicit: 'a VPC endpoint policy' },
  trust: { implicit: 'role trust policy', explicit: 'the role trust policy' },
};

/** @returns e.g. `because no identity-based policy allows the s3:GetObject action` */
export function denialReason(layer: PolicyLayer, explicit: boolean, action: string): string {
  const words = LAYER_WORDS[layer];
  return explicit
    ? `with an explicit deny in ${words.explicit}`
    : `because no ${words.implicit} allows the ${action} action`;
}

/**
 * The general form of a denial (7.5).
 * @param quoteResource S3 puts the ARN in double quotes, other services do not
 * @returns `User: ARN is not authorized to perform: svc:Action on resource: ARN because …`
 */
export function denialMessage(
  request: AuthorizationRequest,
  decision: Decision,
  { quoteResource = false }: { quoteResource?: boolean } = {},
): string {
  const who = request.principal.type === 'anonymous' ? 'anonymous' : request.principal.arn;
  const resource = quoteResource ? `"${request.resource}"` : request.resource;
  // An action without a resource is asked with `*`, and AWS then leaves the words out.
  const on = request.resource === '*' ? '' : ` on resource: ${resource}`;
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  return `User: ${who} is not authorized to perform: ${request.action}${on}${reason}`;
}
