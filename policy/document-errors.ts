// What AWS answers to a document it does not take: code and wording, by kind of policy.
// Sources: recorded answers of IAM and S3 ("This policy contains invalid Json", "Policies must be valid JSON …", "Missing required field
// Statement"), the IAM, S3, EC2 and Organizations API references' error lists, texts quoted in public issue threads; what none of them
// shows is marked `unsourced`. (read 2026-11-21)

export type PolicyKind = 'identity' | 'resource' | 'trust' | 'session' | 'endpoint' | 'scp' | 'rcp';

/** What is wrong. `detail` is the offending text. */
export type Problem =
  | 'json'
  | 'leading-space'
  | 'legacy'
  | 'action-colons'
  | 'shape'
  | 'version'
  | 'old-version'
  | 'missing-statement'
  | 'empty-statement'
  | 'unknown-field'
  | 'sid-format'
  | 'sid-duplicate'
  | 'missing-effect'
  | 'effect'
  | 'missing-principal'
  | 'prohibited-principal'
  | 'principal'
  | 'federated'
  | 'not-principal-allow'
  | 'missing-action'
  | 'action'
  | 'action-vendor'
  | 'trust-action'
  | 'missing-resource'
  | 'prohibited-resource'
  | 'resource'
  | 'resource-vendor'
  | 'resource-partition'
  | 's3-region'
  | 'iam-region'
  | 'iam-path'
  | 'not-applicable'
  | 'condition-operator'
  | 'condition'
  | 'condition-applies'
  | 'condition-ip'
  | 'size';

export interface PolicyFailure {
  readonly ok: false;
  readonly problem: Problem;
  /** AWS's error code for the kind of policy. */
  readonly code: string;
  readonly message: string;
}

type Wording = Partial<Readonly<Record<Problem, (detail: string) => string>>>;

const SYNTAX = () => 'Syntax errors in policy.';

const IAM: Wording = {
  'leading-space': () => 'JSON strings must not have leading spaces',
  legacy: () => 'The policy failed legacy parsing',
  'action-colons': () => 'Actions/Condition can contain only one colon.',
  'old-version': () => 'Policy document must be version 2012-10-17 or greater.',
  'sid-format': () =>
    'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
  'sid-duplicate': () => 'Statement IDs (SID) in a single policy must be unique.',
  'prohibited-principal': () => 'Policy document should not specify a principal.',
  'missing-action': () => 'Policy statement must contain actions.',
  'missing-resource': () => 'Policy statement must contain resources.',
  action: () => 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
  'action-vendor': (detail) => `Vendor ${detail} is not valid`,
  resource: (detail) => `Resource ${detail} must be in ARN format or "*".`,
  'resource-vendor': () => 'Resource vendor must be fully qualified and cannot contain regexes.',
  'resource-partition': (detail) => `Partition "${detail.split(':')[1]}" is not valid for resource "${detail}".`,
  's3-region': (detail) => `Resource ${detail} can not contain region information.`,
  'iam-region': (detail) => `IAM resource ${detail} cannot contain region information.`,
  'iam-path': () =>
    'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.',
  size: (detail) => `Cannot exceed quota for PolicySize: ${detail}`,
};

/** STS reads session policies by itself (public logs of S3A). */
const SESSION: Wording = { ...IAM, json: () => 'The policy is not in the valid JSON format.' };

/** What is said of every policy that lies on a resource. */
const ON_RESOURCE: Wording = {
  version: () => 'The policy must contain a valid version string',
  'missing-statement': () => 'Missing required field Statement',
  'empty-statement': () => 'Could not parse the policy: Statement is empty!',
  'unknown-field': (detail) => `Unknown field ${detail}`,
  'missing-effect': () => 'Missing required field Effect',
  effect: (detail) => `Invalid effect: ${detail}`,
  'missing-action': () => 'Missing required field Action',
  'not-principal-allow': () => 'Allow with NotPrincipal is not allowed.',
  'condition-operator': (detail) => `Invalid Condition type : ${detail}`,
  'missing-principal': () => 'Missing required field Principal',
};

/** Trust policies are read as resource policies are, so the words are those of S3 where no log shows others. */
const TRUST: Wording = {
  ...IAM,
  ...ON_RESOURCE,
  json: () => 'This policy contains invalid Json',
  principal: (detail) => `Invalid principal in policy: ${detail}`,
  federated: () => 'Federated principals must be valid domain names or SAML metadata ARNs',
  'prohibited-resource': (detail) => `Has prohibited field ${detail}`,
  'trust-action': () =>
    'Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML, and sts:AssumeRoleWithWebIdentity',
  size: (detail) => `Cannot exceed quota for ACLSizePerRole: ${detail}`,
};

const S3: Wording = {
  ...ON_RESOURCE,
  json: () => "Policies must be valid JSON and the first byte must be '{'",
  principal: () => 'Invalid principal in policy',
  action: () => 'Policy has invalid action',
  'action-vendor': () => 'Policy has invalid action',
  'missing-resource': () => 'Missing required field Resource',
  resource: () => 'Policy has invalid resource',
  'resource-vendor': () => 'Policy has invalid resource',
  'not-applicable': () => 'Action does not apply to any resource(s) in statement',
  condition: () => 'Policy has an invalid condition key',
  'condition-applies': () => 'Conditions do not apply to combination of actions and resources in statement',
  // Reported by others: three independent servers that follow S3 answer so.
  'condition-ip': () => 'Invalid IP address in Conditions',
  // unsourced: S3's reference only says that a policy is at most 20 KB.
  size: (detail) => `Policy exceeds the maximum allowed size of ${detail} bytes`,
};

const ONE_TEXT = (text: string): Wording => ({ shape: () => text });

const KINDS: Readonly<Record<PolicyKind, { code: string; wording: Wording; otherwise: () => string }>> = {
  identity: { code: 'MalformedPolicyDocument', wording: IAM, otherwise: SYNTAX },
  session: { code: 'MalformedPolicyDocument', wording: SESSION, otherwise: SYNTAX },
  trust: { code: 'MalformedPolicyDocument', wording: TRUST, otherwise: SYNTAX },
  resource: { code: 'MalformedPolicy', wording: S3, otherwise: () => 'Invalid policy syntax.' },
  endpoint: {
    code: 'InvalidPolicyDocument',
    wording: ONE_TEXT('The specified policy document is not a valid JSON policy document.'),
    otherwise: () => 'The specified policy document is not a valid JSON policy document.',
  },
  scp: organizations(),
  rcp: organizations(),
};

function organizations() {
  return {
    code: 'MalformedPolicyDocumentException',
    wording: {},
    otherwise: () => 'The provided policy document does not meet the requirements of the specified policy type.',
  };
}

export function policyFailure(kind: PolicyKind, problem: Problem, detail = ''): PolicyFailure {
  const { code, wording, otherwise } = KINDS[kind];
  const limit = problem === 'size' && (kind === 'identity' || kind === 'trust');
  return { ok: false, problem, code: limit ? 'LimitExceeded' : code, message: (wording[problem] ?? otherwise)(detail) };
}
