// What goes into a decision and what comes out. Semantics section 7; rule ids E1–E5, M1–M5, O1–O5, K1–K4, F1–F6.

/** Who asks. `arn` is what messages print; `principalArns` are all forms a policy may name it by. */
export interface Principal {
  readonly type: 'root' | 'user' | 'role-session' | 'federated-user' | 'service' | 'anonymous';
  /** 12 digits; `anonymous` for an unsigned request (T6). */
  readonly accountId: string;
  /** `arn:aws:iam::123456789012:user/ana`, `arn:aws:sts::123456789012:assumed-role/app/i-0ab1`, `arn:aws:iam::123456789012:root`. */
  readonly arn: string;
  /** A role session's role: `arn:aws:iam::123456789012:role/path/app`. */
  readonly roleArn?: string;
  /** A federated user's maker: a resource's policy that names it counts as part of the session's own policies. */
  readonly parentArn?: string;
  /** `AIDA…`, `AROA…:session`, or the account id for root. */
  readonly userId: string;
  readonly userName?: string;
  /** `ec2.amazonaws.com`, for a service principal. */
  readonly serviceName?: string;
  /** The provider behind a web identity or SAML caller, as `Federated` names it. */
  readonly federatedProvider?: string;
  /** The account's canonical user id, as `CanonicalUser` names it (S3). */
  readonly canonicalUserId?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** A condition key's values; every key has a list, even of one. Key names are compared without case (O4). */
export type ConditionContext = ReadonlyMap<string, readonly string[]>;

/** The layers that can decide, in the words of AWS's messages. */
export type PolicyLayer = 'identity' | 'resource' | 'boundary' | 'session' | 'scp' | 'rcp' | 'endpoint' | 'trust';

/** A parsed document with the name that a citation gives it. */
export interface PolicySource {
  /** An ARN or `inline:NAME`, `bucket-policy`, `vpce-0ab1`: what the person would look for. */
  readonly id: string;
  readonly document: PolicyDocument;
}

export interface PolicyDocument {
  readonly version: '2012-10-17' | '2008-10-17';
  readonly id?: string;
  readonly statements: readonly Statement[];
}

export interface Statement {
  /** 0-based place in the document. */
  readonly index: number;
  readonly sid?: string;
  readonly effect: 'Allow' | 'Deny';
  readonly principal?: PrincipalElement;
  readonly notPrincipal?: PrincipalElement;
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly resources?: readonly string[];
  readonly notResources?: readonly string[];
  readonly conditions: readonly Condition[];
}

/** `*` alone is `{ AWS: ['*'] , any: true }`. */
export interface PrincipalElement {
  readonly any: boolean;
  readonly aws: readonly string[];
  readonly service: readonly string[];
  readonly federated: readonly string[];
  readonly canonicalUser: readonly string[];
}

export interface Condition {
  /** As written, e.g. `ForAllValues:StringLikeIfExists`. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

export interface AuthorizationRequest {
  readonly principal: Principal;
  /** `s3:GetObject`. */
  readonly action: string;
  /** One ARN, or `*` for an action that has no resource. */
  readonly resource: string;
  /** Whose resource it is; absent when it is the caller's own account. */
  readonly resourceAccountId?: string;
  readonly context: ConditionContext;
}

/** The control policies that are attached at one place of an organization. */
export interface PolicyLevel {
  /** `r-ab12`, `ou-ab12-11112222` or an account's id. */
  readonly at: string;
  readonly policies: readonly PolicySource[];
}

export interface PolicySet {
  readonly identity: readonly PolicySource[];
  readonly resource?: PolicySource;
  readonly boundary?: PolicySource;
  /** Session policies: all must be read as one union that must allow. */
  readonly session?: readonly PolicySource[];
  /** The root, the organizational units and the account, from the top: every level must allow. Absent: no organization. */
  readonly scps?: readonly PolicyLevel[];
  readonly rcps?: readonly PolicyLevel[];
  /** The endpoint that the request came through. */
  readonly endpoint?: PolicySource;
  /** A role trust policy (sts:AssumeRole…) or key policy: must itself allow (E1). */
  readonly trust?: PolicySource;
}

/** A statement that had a part in the decision. */
export interface Citation {
  readonly layer: PolicyLayer;
  readonly policyId: string;
  readonly statement: Statement;
}

export interface Decision {
  readonly allowed: boolean;
  /** The layer that denied, or that finally allowed. `root` is an account root's own right (E3). */
  readonly layer: PolicyLayer | 'root' | 'owner';
  readonly explicit: boolean;
  /** The denying statements, or the allowing ones. Empty for an implicit deny. */
  readonly citations: readonly Citation[];
  /** Every layer that was asked, in order, and what it said; for `why` (issue: one answer). */
  readonly layers: readonly {
    readonly layer: PolicyLayer;
    readonly outcome: 'allow' | 'explicit-deny' | 'implicit-deny' | 'not-applicable';
    readonly citations: readonly Citation[];
    /** Of SCPs and RCPs: the place of the organization whose policies decided against it. */
    readonly at?: string;
  }[];
  /** AWS's words after `on resource: …`, e.g. `because no identity-based policy allows the s3:GetObject action`; empty when allowed. */
  readonly reason: string;
}
