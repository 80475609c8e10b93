// Which condition keys of a trust policy are an assertion's attributes?
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html (read 2026-11-21), the tables at its end. The guide says
// of three rows something that is a slip of the pen, by the names of the keys and the LDAP schema (primarygroupsid as uid, 2.4.5.42, …300.100.1.45): both are taken.

interface AttributeKey {
  /** `saml:` and this, in lower case. */
  readonly key: string;
  readonly list?: true;
}

const eduPerson = 'urn:oid:1.3.6.1.4.1.5923.1.1.1';
const eduOrg = 'urn:oid:1.3.6.1.4.1.5923.1.2.1';
const soap = 'http://schemas.xmlsoap.org';

const keyOf: Readonly<Record<string, AttributeKey>> = {
  [`${eduPerson}.1`]: { key: 'edupersonaffiliation', list: true },
  [`${eduPerson}.2`]: { key: 'edupersonnickname', list: true },
  [`${eduPerson}.3`]: { key: 'edupersonorgdn' },
  [`${eduPerson}.4`]: { key: 'edupersonorgunitdn', list: true },
  [`${eduPerson}.5`]: { key: 'edupersonprimaryaffiliation' },
  [`${eduPerson}.6`]: { key: 'edupersonprincipalname' },
  [`${eduPerson}.7`]: { key: 'edupersonentitlement', list: true },
  [`${eduPerson}.8`]: { key: 'edupersonprimaryorgunitdn' },
  [`${eduPerson}.9`]: { key: 'edupersonscopedaffiliation', list: true },
  [`${eduPerson}.10`]: { key: 'edupersontargetedid', list: true },
  [`${eduPerson}.11`]: { key: 'edupersonassurance', list: true },
  [`${eduOrg}.2`]: { key: 'eduorghomepageuri', list: true },
  [`${eduOrg}.3`]: { key: 'eduorgidentityauthnpolicyuri', list: true },
  [`${eduOrg}.4`]: { key: 'eduorglegalname', list: true },
  [`${eduOrg}.5`]: { key: 'eduorgsuperioruri', list: true },
  [`${eduOrg}.6`]: { key: 'eduorgwhitepagesuri', list: true },
  'urn:oid:2.5.4.3': { key: 'cn', list: true },
  [`${soap}/ws/2005/05/identity/claims/name`]: { key: 'name' },
  [`${soap}/claims/CommonName`]: { key: 'commonname' },
  [`${soap}/ws/2005/05/identity/claims/givenname`]: { key: 'givenname' },
  [`${soap}/ws/2005/05/identity/claims/surname`]: { key: 'surname' },
  [`${soap}/ws/2005/05/identity/claims/emailaddress`]: { key: 'mail' },
  'http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid': { key: 'primarygroupsid' },
  '2.5.4.3': { key: 'commonname' },
  '2.5.4.4': { key: 'surname' },
  '2.5.4.42': { key: 'givenname' },
  '2.4.5.42': { key: 'givenname' },
  '2.5.4.45': { key: 'x500uniqueidentifier' },
  '0.9.2342.19200300100.1.1': { key: 'uid' },
  '0.9.2342.19200300100.1.3': { key: 'mail' },
  '0.9.2342.19200300100.1.45': { key: 'organizationstatus' },
  '0.9.2342.19200300.100.1.45': { key: 'organizationstatus' },
};

/** @returns the keys in lower case; of an attribute that is one value, the first */
export function attributeKeys(attributes: ReadonlyMap<string, readonly string[]>): Map<string, readonly string[]> {
  const keys = new Map<string, readonly string[]>();
  for (const [name, values] of attributes) {
    const known = Object.hasOwn(keyOf, name) ? keyOf[name] : undefined;
    if (known && values.length > 0) keys.set(`saml:${known.key}`, known.list ? values : values.slice(0, 1));
  }
  return keys;
}
