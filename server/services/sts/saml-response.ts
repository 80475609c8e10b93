// What does a SAML response say that its provider really signed? https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html (read 2026-11-21).
// Only what the signature covers is read: the text that was verified is parsed anew, so that nothing wrapped around it counts. Keys come from
// the provider's metadata alone, never from the response. The assertion is signed itself, before it is encrypted for the provider's row; the response may be
// signed too, and then well. What must be there, and the words of refusals, were recorded on AWS (2026-09).

import { SignedXml } from 'xml-crypto';
import { AwsError } from '../../errors.ts';
import { attribute, children, descend, is, parse, textOf } from './xml.ts';
import { decryptElement } from './xml-decryption.ts';

const namespaces = {
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
} as const;

export interface SamlMetadata {
  readonly entityId: string;
  /** PEM. */
  readonly certificates: readonly string[];
}

export interface SamlAssertion {
  readonly issuer: string;
  readonly subject: string;
  /** `persistent`, `transient`, or the whole URN of another format. */
  readonly subjectType: string;
  /** Where the assertion was to be presented; any text, which the trust policy may ask about (`saml:aud`). */
  readonly recipient: string;
  /** ISO times; absent where the assertion says none. */
  readonly issuedAt: string | undefined;
  /** Of the conditions and of the subject's confirmation. */
  readonly notOnOrAfter: readonly string[];
  readonly sessionNotOnOrAfter: string | undefined;
  /** Name → values. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

export function invalidIdentityToken(message: string): AwsError {
  return new AwsError('InvalidIdentityToken', 400, message);
}

/** @returns undefined when the text is no metadata of an identity provider with a certificate to sign with */
export function readMetadata(document: string): SamlMetadata | undefined {
  const root = parse(document);
  if (!root || !is(root, namespaces.metadata, 'EntityDescriptor')) return undefined;
  const entityId = attribute(root, 'entityID');
  const certificates = children(root, namespaces.metadata, 'IDPSSODescriptor')
    .flatMap((descriptor) => children(descriptor, namespaces.metadata, 'KeyDescriptor'))
    .filter((key) => (attribute(key, 'use') ?? 'signing') === 'signing')
    .flatMap((key) => children(descend(key, namespaces.signature, 'KeyInfo'), namespaces.signature, 'X509Data'))
    .flatMap((data) => children(data, namespaces.signature, 'X509Certificate'))
    .map((certificate) => pem(textOf(certificate)));
  return entityId === undefined || certificates.length === 0 ? undefined : { entityId, certificates };
}

function pem(base64: string): string {
  const lines = base64.replace(/\s/g, '').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** AWS tells which of its own services refused what was posted. */
function refusedResponse(words: string, requestId: string): AwsError {
  return invalidIdentityToken(
    `${words} (Service: AWSOpenIdDiscoveryService; Status Code: 400; Error Code: AuthSamlInvalidSamlResponseException; Request ID: ${requestId}; Proxy: null)`,
  );
}

/** What the provider's row says of encryption. */
export interface SamlEncryption {
  readonly required: boolean;
  /** PEM. */
  readonly privateKeys: readonly string[];
}

/**
 * Reads a response and checks who signed it.
 * @param encoded base64
 * @throws AwsError InvalidIdentityToken
 */
export function readSamlResponse(
  encoded: string,
  metadata: SamlMetadata,
  encryption: SamlEncryption,
  requestId: string,
): SamlAssertion {
  const incomplete = () => refusedResponse('Invalid base64 SAMLResponse', requestId);
  const xml = Buffer.from(encoded, 'base64').toString();
  const root = parse(xml);
  if (!root || !is(root, namespaces.protocol, 'Response')) throw invalidIdentityToken('Invalid SAML Response');
  const encrypted = children(root, namespaces.assertion, 'EncryptedAssertion');
  const plain = children(root, namespaces.assertion, 'Assertion');
  if (encrypted.length + plain.length !== 1) throw invalidIdentityToken('Invalid SAML Response');
  if (encryption.required && encrypted.length === 0) throw incomplete();
  const open = (element: Element) => {
    const text = decryptElement(element, encryption.privateKeys);
    // Unsourced words.
    if (text === undefined) throw invalidIdentityToken('SAML assertion could not be decrypted');
    return text;
  };
  const opened = encrypted[0] && open(encrypted[0]);
  const held = opened === undefined ? plain[0] : parse(opened);
  if (!hasSignature(held)) {
    const words = 'Response (with optional signature) must contain an assertion with a mandatory signature';
    throw refusedResponse(words, requestId);
  }
  const assertion = signedElement(opened ?? xml, held, metadata);
  const isWhole = !hasSignature(root) || signedElement(xml, root, metadata) !== undefined;
  if (!assertion || !isWhole || !is(assertion, namespaces.assertion, 'Assertion')) {
    throw invalidIdentityToken('Response signature invalid');
  }
  const described = describe(assertion);
  if (!described) throw incomplete();
  return described;
}

function hasSignature(element: Element | undefined): boolean {
  return children(element, namespaces.signature, 'Signature').length > 0;
}

/** What a signature right in `holder` covers, read anew from the text that was verified; undefined when none is good. */
function signedElement(xml: string, holder: Element | undefined, { certificates }: SamlMetadata): Element | undefined {
  for (const signature of children(holder, namespaces.signature, 'Signature')) {
    for (const certificate of certificates) {
      const verified = verifiedElement(xml, signature, certificate);
      if (verified) return verified;
    }
  }
  return undefined;
}

function verifiedElement(xml: string, signature: Element, certificate: string): Element | undefined {
  try {
    const signed = new SignedXml({ publicCert: certificate, getCertFromKeyInfo: () => null });
    signed.loadSignature(signature);
    if (!signed.checkSignature(xml)) return undefined;
    const [text, ...more] = signed.getSignedReferences();
    return text === undefined || more.length > 0 ? undefined : parse(text);
  } catch {
    // An algorithm that is not known, a reference to nowhere, a certificate that is none.
    return undefined;
  }
}

/** @returns undefined when something is missing that has to be there */
function describe(assertion: Element): SamlAssertion | undefined {
  const within = (...names: readonly string[]) => descend(assertion, namespaces.assertion, ...names);
  const conditions = within('Conditions');
  const confirmation = within('Subject', 'SubjectConfirmation', 'SubjectConfirmationData');
  const confirmations = children(within('Subject'), namespaces.assertion, 'SubjectConfirmation');
  const confirmedUntil = attribute(confirmation, 'NotOnOrAfter');
  const recipient = attribute(confirmation, 'Recipient');
  const nameId = within('Subject', 'NameID');
  const format = attribute(nameId, 'Format');
  const notBefore = attribute(conditions, 'NotBefore');
  if (!conditions || confirmations.length !== 1 || confirmedUntil === undefined || recipient === undefined)
    return undefined;
  if (format === undefined || !within('AuthnStatement')) return undefined;
  // It has to be a time; that it lies ahead refuses nothing.
  if (notBefore !== undefined && Number.isNaN(Date.parse(notBefore))) return undefined;
  const attributes = new Map<string, readonly string[]>();
  for (const statement of children(assertion, namespaces.assertion, 'AttributeStatement')) {
    for (const one of children(statement, namespaces.assertion, 'Attribute')) {
      const name = attribute(one, 'Name') ?? '';
      const values = children(one, namespaces.assertion, 'AttributeValue').map(textOf);
      attributes.set(name, [...(attributes.get(name) ?? []), ...values]);
    }
  }
  return {
    issuer: textOf(within('Issuer')),
    subject: textOf(nameId),
    subjectType: format.replace(/^urn:oasis:names:tc:SAML:2\.0:nameid-format:/, ''),
    recipient,
    issuedAt: attribute(assertion, 'IssueInstant'),
    notOnOrAfter: [attribute(conditions, 'NotOnOrAfter'), confirmedUntil].flatMap((time) => time ?? []),
    sessionNotOnOrAfter: attribute(within('AuthnStatement'), 'SessionNotOnOrAfter'),
    attributes,
  };
}
