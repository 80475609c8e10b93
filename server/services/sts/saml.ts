// A SAML response of an identity provider for a role's session. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html
// (read 2026-11-21). The request is not signed: the assertion's signature is checked with the certificates of the provider's metadata.
// Order: the input's form, the provider, the signature, issuer, times, the attributes, then the trust policy and what any session asks.
// Recorded on AWS (2026-09): audiences refuse nothing, nor does a NotBefore that lies ahead; what has expired and a role that is not offered are told as here.
// Other texts: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_saml.html; `within 5 minutes` is from public logs. Unsourced: SessionDuration below 900 is left alone.

import { createHash } from 'node:crypto';
import type { AssumeRoleWithSAMLRequest, AssumeRoleWithSAMLResponse } from '@aws-sdk/client-sts';
import { AwsError } from '../../errors.ts';
import { assumedRoleArn, parseRoleArn } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import { validationError } from './errors.ts';
import { federatedContext, startFederatedSession } from './federation.ts';
import { attributeKeys } from './saml-attributes.ts';
import { invalidIdentityToken, readMetadata, readSamlResponse, type SamlAssertion } from './saml-response.ts';
import { arnConstraints, checkedSessionTags, constraints } from './session-inputs.ts';
import { describeCredentials } from './sessions.ts';

const names = 'https://aws.amazon.com/SAML/Attributes/';
const redeemedWithinMs = 5 * 60_000;
/** How far the provider's clock may be ahead; AWS does not say. */
const skewMs = 5 * 60_000;

const sessionName = /^[\w+=,.@-]{2,64}$/;

function checkTimes({ issuedAt, notOnOrAfter }: SamlAssertion, now: Date): void {
  const issued = Date.parse(issuedAt ?? '');
  if (Number.isNaN(issued)) throw invalidIdentityToken('Invalid SAML Response');
  const expired = (message: string) => new AwsError('ExpiredTokenException', 400, message);
  if (now.getTime() - issued > redeemedWithinMs) throw expired('Token must be redeemed within 5 minutes of issuance');
  if (notOnOrAfter.some((time) => !(now.getTime() < Date.parse(time)))) throw expired('Response has expired');
  if (issued > now.getTime() + skewMs) throw invalidIdentityToken('Token is not yet valid');
}

/** The provider may ask for a shorter session, never for a longer one (recorded). */
function durationOf(assertion: SamlAssertion, asked = 3600): number {
  const [stated] = assertion.attributes.get(`${names}SessionDuration`) ?? [];
  const seconds = Number(stated);
  return stated === undefined || !Number.isInteger(seconds) || seconds < 900 ? asked : Math.min(asked, seconds);
}

/** The provider's own session may end before the one that was asked for. */
function checkedEnd({ sessionNotOnOrAfter }: SamlAssertion, now: Date): { endsBy?: Date } {
  if (sessionNotOnOrAfter === undefined) return {};
  const endsBy = new Date(sessionNotOnOrAfter);
  if (Number.isNaN(endsBy.getTime())) throw invalidIdentityToken('Invalid SAML Response');
  if (endsBy <= now) throw new AwsError('ExpiredTokenException', 400, 'Response has expired');
  return { endsBy };
}

/** The pair of role and provider that the caller asks for, in either order, must be one that the provider named. */
function checkRole(assertion: SamlAssertion, roleArn: string, providerArn: string): void {
  const offered = (assertion.attributes.get(`${names}Role`) ?? []).map((pair) =>
    pair.split(',').map((arn) => arn.trim()),
  );
  const fits = offered.some((pair) => pair.length === 2 && pair.includes(roleArn) && pair.includes(providerArn));
  if (!fits) {
    throw invalidIdentityToken("SAML Assertion doesn't contain the requested Role and Metadata in the attributes");
  }
}

function checkedSessionName(assertion: SamlAssertion): string {
  const [name] = assertion.attributes.get(`${names}RoleSessionName`) ?? [];
  if (name === undefined || name === '') throw invalidIdentityToken('RoleSessionName is required in AuthnResponse');
  if (sessionName.test(name)) return name;
  throw invalidIdentityToken('RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}');
}

function checkedSourceIdentity(assertion: SamlAssertion): string | undefined {
  const [identity] = assertion.attributes.get(`${names}SourceIdentity`) ?? [];
  if (identity === undefined || (sessionName.test(identity) && !identity.startsWith('aws:'))) return identity;
  throw invalidIdentityToken("Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with 'aws:'");
}

/** `…/PrincipalTag:Team` with one value each. */
function sessionTags(assertion: SamlAssertion): Record<string, string> {
  const prefix = `${names}PrincipalTag:`;
  const tags = [...assertion.attributes].filter(([name]) => name.startsWith(prefix));
  return checkedSessionTags(tags.map(([name, [Value]]) => ({ Key: name.slice(prefix.length), Value })));
}

function assumeRoleWithSaml(call: Call, input: AssumeRoleWithSAMLRequest): AssumeRoleWithSAMLResponse {
  const checks = arnConstraints(constraints(), 'roleArn', input.RoleArn);
  arnConstraints(checks, 'principalArn', input.PrincipalArn)
    .required('sAMLAssertion', input.SAMLAssertion)
    .length('sAMLAssertion', input.SAMLAssertion, 4, 100_000)
    .range('durationSeconds', input.DurationSeconds, 900, 43200)
    .done();
  const { RoleArn: roleArn = '', PrincipalArn: providerArn = '' } = input;
  const parsed = parseRoleArn(roleArn);
  if (!parsed || parsed.partition !== call.partition) throw validationError(`${roleArn} is invalid`);
  const provider = call.tx.get('saml-provider', providerArn);
  if (provider?.accountId !== parsed.accountId) throw invalidIdentityToken("Specified provider doesn't exist");
  const metadata = readMetadata(provider.document);
  if (!metadata) throw invalidIdentityToken('Could not parse metadata');
  const assertion = readSamlResponse(
    input.SAMLAssertion ?? '',
    metadata,
    {
      required: provider.encryptionMode === 'Required',
      privateKeys: provider.privateKeys?.map(({ pem }) => pem) ?? [],
    },
    call.requestId,
  );
  if (assertion.issuer !== metadata.entityId) throw invalidIdentityToken('Issuer not present in specified provider');
  checkTimes(assertion, call.now);
  checkRole(assertion, roleArn, providerArn);
  const name = checkedSessionName(assertion);
  const sourceIdentity = checkedSourceIdentity(assertion);
  const friendlyName = providerArn.slice(providerArn.lastIndexOf('/') + 1);
  const qualifier = createHash('sha1')
    .update(`${assertion.issuer}${parsed.accountId}/${friendlyName}`)
    .digest('base64');

  const context = federatedContext(call, providerArn);
  for (const [key, values] of attributeKeys(assertion.attributes)) context.set(key, values);
  context.set('saml:aud', [assertion.recipient]);
  context.set('saml:iss', [assertion.issuer]);
  context.set('saml:sub', [assertion.subject]);
  context.set('saml:sub_type', [assertion.subjectType]);
  context.set('saml:namequalifier', [qualifier]);
  context.set('saml:doc', [`${parsed.accountId}/${friendlyName}`]);
  const { session, role, policies } = startFederatedSession(
    call,
    {
      action: 'sts:AssumeRoleWithSAML',
      roleArn,
      roleAccountId: parsed.accountId,
      roleName: parsed.roleName,
      rolePath: parsed.path,
      sessionName: name,
      providerArn,
      tags: sessionTags(assertion),
      transitiveTagKeys: assertion.attributes.get(`${names}TransitiveTagKeys`) ?? [],
      sourceIdentity,
      durationSeconds: durationOf(assertion, input.DurationSeconds),
      ...checkedEnd(assertion, call.now),
      input,
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#cross-condition-keys-saml (read 2026-11-21)
      keptKeys: ['saml:namequalifier', 'saml:sub', 'saml:sub_type'],
    },
    context,
  );
  return {
    Credentials: describeCredentials(session),
    AssumedRoleUser: {
      AssumedRoleId: `${role.roleId}:${name}`,
      Arn: assumedRoleArn(call.partition, role.accountId, role.roleName, name),
    },
    ...(policies.packedPolicySize !== undefined && { PackedPolicySize: policies.packedPolicySize }),
    Subject: assertion.subject,
    SubjectType: assertion.subjectType,
    Issuer: assertion.issuer,
    Audience: assertion.recipient,
    NameQualifier: qualifier,
    ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
  };
}

export const saml = {
  // The assertion speaks for itself, to the trust policy alone.
  AssumeRoleWithSAML: operation<AssumeRoleWithSAMLRequest, AssumeRoleWithSAMLResponse>({
    authorize: 'none',
    run: assumeRoleWithSaml,
  }),
};
