// What does a SAML response say that its provider really signed? https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html (read 2026-11-21).
// Only what the signature covers is read: the text that was verified is parsed anew, so that nothing wrapped around it counts. Keys come from
// the provider's metadata alone, never from the response. The response or the assertion in it is signed; encrypted assertions are refused by name.

import { DOMParser } from '@xmldom/xmldom';
import { SignedXml } from 'xml-crypto';
import { AwsError } from '../../errors.ts';

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

/** @returns undefined for a text that is no XML. Documents with a DOCTYPE are none: entities have no place here */
function parse(xml: string): Element | undefined {
  if (xml.includes('<!DOCTYPE')) return undefined;
  try {
    const refuse = (message: string) => {
      throw new Error(message);
    };
    const parser = new DOMParser({ errorHandler: { warning: refuse, error: refuse, fatalError: refuse } });
    return parser.parseFromString(xml, 'text/xml').documentElement ?? undefined;
  } catch {
    return undefined;
  }
}

const is = (element: Element, namespace: string, name: string) =>
  element.namespaceURI === namespace && element.localName === name;

function children(parent: Element | undefined, namespace: string, name: string): Element[] {
  const found: Element[] = [];
  for (let node = parent?.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === 1 && is(node as Element, namespace, name)) found.push(node as Element);
  }
  return found;
}

function down(from: Element | undefined, namespace: string, ...names: readonly string[]): Element | undefined {
  let at = from;
  for (const name of names) at = children(at, namespace, name)[0];
  return at;
}

const textOf = (element: Element | undefined): string => element?.textContent?.trim() ?? '';

function attribute(element: Element | undefined, name: string): string | undefined {
  const value = element?.getAttribute(name) ?? '';
  return value === '' ? undefined : value;
}

/** @returns undefined when the text is no metadata of an identity provider with a certificate to sign with */
export function readMetadata(document: string): SamlMetadata | undefined {
  const root = parse(document);
  if (!root || !is(root, namespaces.metadata, 'EntityDescriptor')) return undefined;
  const entityId = attribute(root, 'entityID');
  const certificates = children(root, namespaces.metadata, 'IDPSSODescriptor')
    .flatMap((descriptor) => children(descriptor, namespaces.metadata, 'KeyDescriptor'))
    .filter((key) => (attribute(key, 'use') ?? 'signing') === 'signing')
    .flatMap((key) => children(down(key, namespaces.signature, 'KeyInfo'), namespaces.signature, 'X509Data'))
    .flatMap((data) => children(data, namespaces.signature, 'X509Certificate'))
    .map((certificate) => pem(textOf(certificate)));
  return entityId === undefined || certificates.length === 0 ? undefined : { entityId, certificates };
}

function pem(base64: string): string {
  const lines = base64.replace(/\s/g, '').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/**
 * Reads a response and checks who signed it.
 * @param encoded base64
 * @throws AwsError InvalidIdentityToken
 */
export function readSamlResponse(encoded: string, metadata: SamlMetadata): SamlAssertion {
  const xml = Buffer.from(encoded, 'base64').toString();
  const root = parse(xml);
  if (!root || !is(root, namespaces.protocol, 'Response')) throw invalidIdentityToken('Invalid SAML Response');
  if (children(root, namespaces.assertion, 'EncryptedAssertion').length > 0) {
    throw invalidIdentityToken('Encrypted assertions are not supported by Postern.');
  }
  const assertions = children(root, namespaces.assertion, 'Assertion');
  if (assertions.length !== 1) throw invalidIdentityToken('Invalid SAML Response');
  const signatures = [root, ...assertions].flatMap((one) => children(one, namespaces.signature, 'Signature'));
  for (const signature of signatures) {
    for (const certificate of metadata.certificates) {
      const verified = verifiedAssertion(xml, signature, certificate);
      if (verified) return describe(verified);
    }
  }
  throw invalidIdentityToken('Response signature invalid');
}

/** The assertion as it was signed, or undefined. */
function verifiedAssertion(xml: string, signature: Element, certificate: string): Element | undefined {
  try {
    const signed = new SignedXml({ publicCert: certificate, getCertFromKeyInfo: () => null });
    signed.loadSignature(signature);
    if (!signed.checkSignature(xml)) return undefined;
    const [text, ...more] = signed.getSignedReferences();
    const root = text === undefined || more.length > 0 ? undefined : parse(text);
    if (!root || is(root, namespaces.assertion, 'Assertion')) return root;
    return is(root, namespaces.protocol, 'Response') ? down(root, namespaces.assertion, 'Assertion') : undefined;
  } catch {
    // An algorithm that is not known, a reference to nowhere, a certificate that is none.
    return undefined;
  }
}

function describe(assertion: Element): SamlAssertion {
  const within = (...names: readonly string[]) => down(assertion, namespaces.assertion, ...names);
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
