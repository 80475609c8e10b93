// AssumeRoleWithSAML with responses that a real key signed, by a library for XML signatures; and with those that somebody tampered with.

import assert from 'node:assert/strict';
import {
  type CipherGCM,
  constants,
  createCipheriv,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  sign,
} from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { SignedXml } from 'xml-crypto';
import { ensureFirstState } from '../../accounts.ts';
import { bits, integer, objectId, pem, sequence, set, tagged, text, time } from '../../front-door/der.ts';
import { keyNamed } from '../../sessions.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runAs, runOperation, testNow } from '../../testing.ts';
import { iam } from '../iam/index.ts';
import { sts } from './index.ts';

const accountId = '123456789012';
const roleArn = `arn:aws:iam::${accountId}:role/app`;
const providerArn = `arn:aws:iam::${accountId}:saml-provider/idp`;
const recipient = 'https://signin.aws.amazon.com/saml';
const names = 'https://aws.amazon.com/SAML/Attributes/';
type Output = Record<string, unknown>;

const sha256WithRsa = sequence(objectId('1.2.840.113549.1.1.11'));

/** A certificate that signed itself, base64 of its DER. */
function certificateOf(publicKey: KeyObject, privateKey: KeyObject): string {
  const name = sequence(set(sequence(objectId('2.5.4.3'), text('idp'))));
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(Buffer.from([1])),
    sha256WithRsa,
    name,
    sequence(time(new Date('2026-01-01')), time(new Date('2036-01-01'))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const certificate = pem('CERTIFICATE', sequence(body, sha256WithRsa, bits(sign('sha256', body, privateKey))));
  return certificate.replace(/-----[^-]+-----|\s/g, '');
}

const idp = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const certificate = certificateOf(idp.publicKey, idp.privateKey);
const metadata = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://idp.example.com"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>`;

interface Said {
  readonly issuer?: string;
  readonly issuedAt?: Date;
  readonly audience?: string;
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
}

const usual = {
  [`${names}Role`]: [`${roleArn},${providerArn}`],
  [`${names}RoleSessionName`]: ['ana@example.com'],
};

function response({ issuer = 'https://idp.example.com', issuedAt = testNow, audience = recipient, attributes }: Said) {
  const iso = issuedAt.toISOString();
  const stated = Object.entries({ ...usual, ...attributes }).map(
    ([name, values]) =>
      `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join('')}</saml:Attribute>`,
  );
  const later = new Date(issuedAt.getTime() + 3_600_000).toISOString();
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_response" Version="2.0" IssueInstant="${iso}"><saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_assertion" Version="2.0" IssueInstant="${iso}"><saml:Issuer>${issuer}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">ana-1</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${later}" Recipient="${recipient}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${iso}" NotOnOrAfter="${later}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="${iso}"/><saml:AttributeStatement>${stated.join('')}</saml:AttributeStatement></saml:Assertion></samlp:Response>`;
}

function signed(xml: string, what: 'Assertion' | 'Response' = 'Assertion', key: KeyObject = idp.privateKey): string {
  const signer = new SignedXml({
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }),
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  });
  const xpath = `//*[local-name(.)='${what}']`;
  signer.addReference({
    xpath,
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
    transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#'],
  });
  signer.computeSignature(xml, { location: { reference: xpath, action: 'append' } });
  return signer.getSignedXml();
}

const opener = generateKeyPairSync('rsa', { modulusLength: 2048 });
const openerPem = opener.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const xmlenc = 'http://www.w3.org/2001/04/xmlenc#';
const xmlenc11 = 'http://www.w3.org/2009/xmlenc11#';

interface HowEncrypted {
  readonly data?: 'aes256-cbc' | 'aes128-gcm';
  readonly key?: KeyObject;
  readonly digest?: 'sha1' | 'sha256';
}

/** The response with its assertion encrypted. */
function encrypted(xml: string, { data = 'aes256-cbc', key = opener.publicKey, digest = 'sha1' }: HowEncrypted = {}) {
  const assertion = /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(xml)?.[0] ?? '';
  const gcm = data.endsWith('gcm');
  const secret = randomBytes(gcm ? 16 : 32);
  const start = randomBytes(gcm ? 12 : 16);
  const cipher = createCipheriv(gcm ? 'aes-128-gcm' : 'aes-256-cbc', secret, start);
  const sealed = Buffer.concat([start, cipher.update(assertion), cipher.final()]);
  const bytes = gcm ? Buffer.concat([sealed, (cipher as CipherGCM).getAuthTag()]) : sealed;
  const wrapped = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: digest }, secret);
  const oaep =
    digest === 'sha1'
      ? `<xenc:EncryptionMethod Algorithm="${xmlenc}rsa-oaep-mgf1p"/>`
      : `<xenc:EncryptionMethod Algorithm="${xmlenc11}rsa-oaep"><ds:DigestMethod Algorithm="${xmlenc}sha256"/><e11:MGF xmlns:e11="${xmlenc11}" Algorithm="${xmlenc11}mgf1sha256"/></xenc:EncryptionMethod>`;
  const value = (of: Buffer) =>
    `<xenc:CipherData><xenc:CipherValue>${of.toString('base64')}</xenc:CipherValue></xenc:CipherData>`;
  const element = `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><xenc:EncryptedData xmlns:xenc="${xmlenc}" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Type="${xmlenc}Element"><xenc:EncryptionMethod Algorithm="${gcm ? xmlenc11 : xmlenc}${data}"/><ds:KeyInfo><xenc:EncryptedKey>${oaep}${value(wrapped)}</xenc:EncryptedKey></ds:KeyInfo>${value(bytes)}</xenc:EncryptedData></saml:EncryptedAssertion>`;
  return xml.replace(assertion, element);
}

let store: Store;

const assume = (xml: string, more: object = {}) =>
  runOperation<{ Credentials: { AccessKeyId: string; Expiration: Date } } & Output>(store, sts, 'AssumeRoleWithSAML', {
    RoleArn: roleArn,
    PrincipalArn: providerArn,
    SAMLAssertion: Buffer.from(xml).toString('base64'),
    ...more,
  });
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));

async function trust(condition: object = {}, actions: readonly string[] = ['sts:AssumeRoleWithSAML']): Promise<void> {
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Federated: providerArn }, Action: actions, Condition: condition }],
  });
  await runOperation(store, iam, 'UpdateAssumeRolePolicy', { RoleName: 'app', PolicyDocument });
}

beforeEach(async () => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
  await runOperation(store, iam, 'CreateSAMLProvider', { Name: 'idp', SAMLMetadataDocument: metadata });
  const document = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole' }] };
  await runOperation(store, iam, 'CreateRole', {
    RoleName: 'app',
    AssumeRolePolicyDocument: JSON.stringify(document),
  });
  await trust();
});

describe('AssumeRoleWithSAML', () => {
  it('gives a session for an assertion that the provider signed, in a response that it signed or not', async () => {
    for (const xml of [signed(response({})), signed(signed(response({})), 'Response')]) {
      const { Credentials, ...rest } = await assume(xml);
      assert.equal(rest.Subject, 'ana-1');
      assert.equal(rest.SubjectType, 'persistent');
      assert.equal(rest.Issuer, 'https://idp.example.com');
      assert.equal(rest.Audience, recipient);
      const who = await runAs<Output>(store, Credentials.AccessKeyId, sts, 'GetCallerIdentity');
      assert.equal(who.Arn, `arn:aws:sts::${accountId}:assumed-role/app/ana@example.com`);
    }
  });

  it('refuses what nobody signed, a stranger signed, or somebody changed', async () => {
    const invalid = (xml: string) => rejects(assume(xml), 'InvalidIdentityToken', 'Response signature invalid');
    const mandatory =
      /^Response \(with optional signature\) must contain an assertion with a mandatory signature \(Service: /;
    for (const xml of [response({}), signed(response({}), 'Response')])
      await rejects(assume(xml), 'InvalidIdentityToken', mandatory);
    await invalid(signed(signed(response({})), 'Response', stranger.privateKey));
    await invalid(signed(response({}), 'Assertion', stranger.privateKey));
    await invalid(signed(response({})).replace('ana@example.com', 'root'));
    await rejects(assume('no XML'), 'InvalidIdentityToken', 'Invalid SAML Response');
    const entity = `<!DOCTYPE x [<!ENTITY e "y">]>${signed(response({}))}`;
    await rejects(assume(entity), 'InvalidIdentityToken', 'Invalid SAML Response');
  });

  it('reads only what is signed, wherever else an assertion is put', async () => {
    const real = signed(response({}));
    const body = /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(real)?.[0] ?? '';
    const forged = body.replaceAll('_assertion', '_forged').replace('ana@example.com', 'root');
    await rejects(assume(real.replace(body, forged + body)), 'InvalidIdentityToken');
    const hidden = forged.replace(/<Signature[\s\S]*<\/Signature>/, (one) => one.replaceAll('_forged', '_assertion'));
    const wrapped = real.replace(body, hidden.replace('</saml:Assertion>', `<x>${body}</x></saml:Assertion>`));
    const answer = await assume(wrapped).catch((error: Error) => error);
    if (!(answer instanceof Error)) {
      const who = await runAs<Output>(store, answer.Credentials.AccessKeyId, sts, 'GetCallerIdentity');
      assert.doesNotMatch(String(who.Arn), /root$/);
    }
  });

  it('asks for what has to be there, and not for what the trust policy can ask, as recorded on AWS', async () => {
    const xml = response({});
    const drop = (pattern: RegExp, by = '') => assume(signed(xml.replace(pattern, by)));
    const incomplete = /^Invalid base64 SAMLResponse \(Service: AWSOpenIdDiscoveryService; Status Code: 400; /;
    for (const [pattern, by] of [
      [/<saml:Conditions[\s\S]*<\/saml:Conditions>/, ''],
      [/<saml:AuthnStatement[^>]*>/, ''],
      [/ Recipient="[^"]*"/, ''],
      [/(?<=SubjectConfirmationData) NotOnOrAfter="[^"]*"/, ''],
      [/ Format="[^"]*"/, ''],
      [/NotBefore="[^"]*"/, 'NotBefore="soon"'],
      [/(<saml:SubjectConfirmation [\s\S]*<\/saml:SubjectConfirmation>)/, '$1$1'],
    ] as const)
      await rejects(drop(pattern, by), 'InvalidIdentityToken', incomplete);
    await assume(signed(response({ audience: 'https://else.example' })));
    await drop(/<saml:AudienceRestriction>[\s\S]*<\/saml:AudienceRestriction>/);
    await drop(/(?<=Conditions[^>]*) NotOnOrAfter="[^"]*"/);
    await drop(/NotBefore="[^"]*"/, `NotBefore="${new Date(testNow.getTime() + 86_400_000).toISOString()}"`);
    assert.equal((await drop(/Recipient="[^"]*"/, 'Recipient="not-a-url"')).Audience, 'not-a-url');
    assert.equal((await drop(/Format="[^"]*"/, 'Format="custom-format"')).SubjectType, 'custom-format');
  });

  it('lasts as long as was asked, unless the provider says a shorter time', async () => {
    const lasts = async (said: object, more: object = {}) => {
      const { Credentials } = await assume(signed(response({ attributes: { ...said } })), more);
      return (Credentials.Expiration.getTime() - testNow.getTime()) / 1000;
    };
    const stated = (seconds: number) => ({ [`${names}SessionDuration`]: [String(seconds)] });
    assert.equal(await lasts({}), 3600);
    assert.equal(await lasts(stated(900)), 900);
    assert.equal(await lasts(stated(7200)), 3600);
    await runOperation(store, iam, 'UpdateRole', { RoleName: 'app', MaxSessionDuration: 7200 });
    assert.equal(await lasts({}, { DurationSeconds: 7200 }), 7200);
    const until = (seconds: number) => {
      const end = new Date(testNow.getTime() + seconds * 1000).toISOString();
      const xml = response({}).replace('<saml:AuthnStatement', `<saml:AuthnStatement SessionNotOnOrAfter="${end}"`);
      return assume(signed(xml));
    };
    assert.equal((await until(600)).Credentials.Expiration.getTime() - testNow.getTime(), 600_000);
    await rejects(until(-1), 'ExpiredTokenException', 'Response has expired');
  });

  it('refuses responses of another time, issuer or role', async () => {
    const minutes = (count: number) => new Date(testNow.getTime() + count * 60_000);
    const late = 'Token must be redeemed within 5 minutes of issuance';
    await rejects(assume(signed(response({ issuedAt: minutes(-6) }))), 'ExpiredTokenException', late);
    await rejects(assume(signed(response({ issuedAt: minutes(6) }))), 'InvalidIdentityToken');
    const past = response({}).replace(/NotOnOrAfter="[^"]*"/, `NotOnOrAfter="${testNow.toISOString()}"`);
    await rejects(assume(signed(past)), 'ExpiredTokenException', 'Response has expired');
    const issuer = 'Issuer not present in specified provider';
    await rejects(assume(signed(response({ issuer: 'https://else.example' }))), 'InvalidIdentityToken', issuer);
    const attributes = { [`${names}Role`]: [`arn:aws:iam::${accountId}:role/else,${providerArn}`] };
    const role = "SAML Assertion doesn't contain the requested Role and Metadata in the attributes";
    await rejects(assume(signed(response({ attributes }))), 'InvalidIdentityToken', role);
    const unnamed = { [`${names}RoleSessionName`]: [] };
    await rejects(
      assume(signed(response({ attributes: unnamed }))),
      'InvalidIdentityToken',
      /RoleSessionName is required/,
    );
    const elsewhere = { PrincipalArn: `${providerArn}2` };
    await rejects(assume(signed(response({})), elsewhere), 'InvalidIdentityToken', "Specified provider doesn't exist");
  });

  it('[E1] asks the trust policy about the claims, and takes tags only where it may', async () => {
    await trust({ StringEquals: { 'SAML:aud': recipient, 'SAML:iss': 'https://idp.example.com' } });
    await assume(signed(response({})));
    await trust({ StringEquals: { 'SAML:sub': 'bob' } });
    const denied = 'Not authorized to perform sts:AssumeRoleWithSAML';
    await rejects(assume(signed(response({}))), 'AccessDenied', denied);
    await trust();
    const tagged = signed(response({ attributes: { [`${names}PrincipalTag:Team`]: ['net'] } }));
    await rejects(assume(tagged), 'AccessDenied', denied);
    await trust({}, ['sts:AssumeRoleWithSAML', 'sts:TagSession']);
    const { Credentials } = await assume(tagged);
    const owner = store.read((tx) => keyNamed(tx, Credentials.AccessKeyId))?.owner;
    assert.deepEqual(owner?.kind === 'role-session' && [owner.tags, owner.federatedProvider], [
      { Team: 'net' },
      providerArn,
    ]);
  });

  it('[E1] asks it about eduPerson’s and Active Directory’s attributes too', async () => {
    const attributes = {
      'urn:oid:1.3.6.1.4.1.5923.1.1.1.1': ['staff', 'member'],
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress': ['ana@example.com', 'second'],
    };
    const xml = signed(response({ attributes }));
    await trust({ 'ForAllValues:StringLike': { 'saml:edupersonaffiliation': ['staff', 'member'] } });
    await assume(xml);
    await trust({ 'ForAllValues:StringLike': { 'SAML:eduPersonAffiliation': ['staff'] } });
    await rejects(assume(xml), 'AccessDenied');
    await trust({ StringEquals: { 'saml:mail': 'ana@example.com', 'saml:doc': `${accountId}/idp` } });
    await assume(xml);
  });

  it('the session’s requests know its subject, and nothing else of the assertion', async () => {
    const { Credentials, NameQualifier } = await assume(signed(response({})));
    const may = async (key: string, value: string) => {
      const statement = {
        Effect: 'Allow',
        Action: 'iam:ListUsers',
        Resource: '*',
        Condition: { StringEquals: { [key]: value } },
      };
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statement });
      await runOperation(store, iam, 'PutRolePolicy', { RoleName: 'app', PolicyName: 'p', PolicyDocument });
      return runAs(store, Credentials.AccessKeyId, iam, 'ListUsers').then(
        () => true,
        () => false,
      );
    };
    assert.equal(await may('saml:sub', 'ana-1'), true);
    assert.equal(await may('saml:sub_type', 'persistent'), true);
    assert.equal(await may('saml:namequalifier', String(NameQualifier)), true);
    assert.equal(await may('aws:FederatedProvider', providerArn), true);
    assert.equal(await may('saml:sub', 'bob'), false);
    assert.equal(await may('saml:aud', recipient), false);
    assert.equal(await may('saml:iss', 'https://idp.example.com'), false);
  });
});

describe('an encrypted assertion', () => {
  const update = (input: object) =>
    runOperation(store, iam, 'UpdateSAMLProvider', { SAMLProviderArn: providerArn, ...input });
  const show = () =>
    runOperation<{ AssertionEncryptionMode?: string; PrivateKeyList?: { KeyId: string }[] }>(
      store,
      iam,
      'GetSAMLProvider',
      { SAMLProviderArn: providerArn },
    );
  const undecrypted = 'SAML assertion could not be decrypted';

  it('is opened with the provider’s key, and was signed before it was encrypted', async () => {
    await rejects(assume(encrypted(signed(response({})))), 'InvalidIdentityToken', undecrypted);
    await update({ AddPrivateKey: openerPem, AssertionEncryptionMode: 'Allowed' });
    const ways: HowEncrypted[] = [{}, { data: 'aes128-gcm' }, { digest: 'sha256' }];
    for (const how of ways) assert.equal((await assume(encrypted(signed(response({})), how))).Subject, 'ana-1');
    assert.equal((await assume(signed(encrypted(signed(response({}))), 'Response'))).Subject, 'ana-1');
    await rejects(assume(signed(encrypted(response({})), 'Response')), 'InvalidIdentityToken', /mandatory signature/);
    await assume(signed(response({})));
  });

  it('is refused when nobody signed it, somebody changed it, or it is for another key', async () => {
    await update({ AddPrivateKey: openerPem, AssertionEncryptionMode: 'Allowed' });
    const invalid = (xml: string, message: string | RegExp) => rejects(assume(xml), 'InvalidIdentityToken', message);
    const unsigned = 'Response signature invalid';
    await invalid(encrypted(response({})), /mandatory signature/);
    await invalid(encrypted(signed(response({}), 'Assertion', stranger.privateKey)), unsigned);
    await invalid(encrypted(signed(response({})).replace('ana@example.com', 'root')), unsigned);
    const whole = signed(encrypted(signed(response({}))), 'Response');
    await invalid(whole.replace('_response', '_other'), unsigned);
    await invalid(encrypted(signed(response({})), { key: stranger.publicKey }), undecrypted);
    const gcm = encrypted(signed(response({})), { data: 'aes128-gcm' });
    await invalid(
      gcm.replace(/.(?=.{7}<\/xenc:CipherValue><\/xenc:CipherData><\/xenc:EncryptedData>)/, (one) =>
        one === 'A' ? 'B' : 'A',
      ),
      undecrypted,
    );
    const both = signed(response({}));
    await invalid(
      both.replace('</samlp:Response>', `${encrypted(both).slice(encrypted(both).indexOf('<saml:Enc'))}`),
      'Invalid SAML Response',
    );
  });

  it('can be required, and a key be replaced: two at most', async () => {
    await rejects(update({ AssertionEncryptionMode: 'Required' }), 'InvalidInput');
    await rejects(update({ AddPrivateKey: 'no key' }), 'InvalidInput', 'Could not parse private key.');
    await update({ AddPrivateKey: stranger.privateKey.export({ type: 'pkcs8', format: 'pem' }) });
    await update({ AddPrivateKey: openerPem, AssertionEncryptionMode: 'Required' });
    await rejects(update({ AddPrivateKey: openerPem }), 'LimitExceeded');
    await rejects(assume(signed(response({}))), 'InvalidIdentityToken', /^Invalid base64 SAMLResponse /);
    await assume(encrypted(signed(response({}))));
    const { AssertionEncryptionMode, PrivateKeyList = [] } = await show();
    assert.equal(AssertionEncryptionMode, 'Required');
    const [old, current] = PrivateKeyList.map(({ KeyId }) => KeyId);
    await update({ RemovePrivateKey: old });
    await rejects(update({ RemovePrivateKey: old }), 'NoSuchEntity');
    await assume(encrypted(signed(response({}))));
    await rejects(update({ RemovePrivateKey: current }), 'InvalidInput');
    assert.equal((await show()).PrivateKeyList?.length, 1);
  });
});
