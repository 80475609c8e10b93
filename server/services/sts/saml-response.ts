// What does a SAML response say that its provider really signed? https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html (read 2026-11-21).
// Only what the signature covers is read: the text that was verified is parsed anew, so that nothing wrapped around it counts. Keys come from
// the provider's metadata alone, never from the response. The response or the assertion in it is signed; an assertion may be encrypted for the provider's row,
// and is then signed before that, or the response after it.

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
  /** Where the assertion was to be presented. */
  readonly recipient: string;
  readonly audiences: readonly string[];
  /** ISO times; absent where the assertion says none. */
  readonly issuedAt: string | undefined;
  readonly notBefore: string | undefined;
  readonly notOnOrAfter: string | undefined;
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
export function readSamlResponse(encoded: string, metadata: SamlMetadata, encryption: SamlEncryption): SamlAssertion {
  const xml = Buffer.from(encoded, 'base64').toString();
  const root = parse(xml);
  if (!root || !is(root, namespaces.protocol, 'Response')) throw invalidIdentityToken('Invalid SAML Response');
  const encrypted = children(root, namespaces.assertion, 'EncryptedAssertion');
  const plain = children(root, namespaces.assertion, 'Assertion');
  if (encrypted.length + plain.length !== 1) throw invalidIdentityToken('Invalid SAML Response');
  // The words of these two are unsourced.
  if (encryption.required && encrypted.length === 0) throw invalidIdentityToken('SAML assertion must be encrypted');
  const open = (element: Element) => {
    const text = decryptElement(element, encryption.privateKeys);
    if (text === undefined) throw invalidIdentityToken('SAML assertion could not be decrypted');
    return text;
  };
  const opened = encrypted[0] && open(encrypted[0]);
  const held = opened === undefined ? plain[0] : parse(opened);
  const signed = signedElement(xml, root, metadata) ?? signedElement(opened ?? xml, held, metadata);
  const assertion = signed && assertionIn(signed, open);
  if (!assertion) throw invalidIdentityToken('Response signature invalid');
  return describe(assertion);
}

/** The assertion that was signed, or that is in the response that was. */
function assertionIn(signed: Element, open: (element: Element) => string): Element | undefined {
  if (is(signed, namespaces.assertion, 'Assertion')) return signed;
  if (!is(signed, namespaces.protocol, 'Response')) return undefined;
  const encrypted = descend(signed, namespaces.assertion, 'EncryptedAssertion');
  const inside = encrypted ? parse(open(encrypted)) : descend(signed, namespaces.assertion, 'Assertion');
  return inside && is(inside, namespaces.assertion, 'Assertion') ? inside : undefined;
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

function describe(assertion: Element): SamlAssertion {
  const within = (...names: readonly string[]) => descend(assertion, namespaces.assertion, ...names);
  const conditions = within('Conditions');
  const confirmation = within('Subject', 'SubjectConfirmation', 'SubjectConfirmationData');
  const nameId = within('Subject', 'NameID');
  const format = attribute(nameId, 'Format') ?? '';
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
    subjectType: /:nameid-format:(persistent|transient)$/.exec(format)?.[1] ?? format,
    recipient: attribute(confirmation, 'Recipient') ?? '',
    audiences: children(conditions, namespaces.assertion, 'AudienceRestriction')
      .flatMap((restriction) => children(restriction, namespaces.assertion, 'Audience'))
      .map(textOf),
    issuedAt: attribute(assertion, 'IssueInstant'),
    notBefore: attribute(conditions, 'NotBefore'),
    notOnOrAfter: attribute(conditions, 'NotOnOrAfter') ?? attribute(confirmation, 'NotOnOrAfter'),
    sessionNotOnOrAfter: attribute(within('AuthnStatement'), 'SessionNotOnOrAfter'),
    attributes,
  };
}
