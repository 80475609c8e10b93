// Members of inputs that a served operation takes and no handler reads, each with the reason why nobody gains by it (docs/gaps.md has those that a user could miss).
// What would change who reaches what does not belong here: it is refused.

type Reasons = Readonly<Record<string, string>>;

/** By service, of every operation. */
export const everywhere: Readonly<Record<string, Reasons>> = {
  s3: {
    ContentMD5: 'the edge holds the body against it, whatever the operation',
    ChecksumAlgorithm: 'it names the checksum header that goes with it, which the edge holds the body against',
  },
};

/** By service and operation. */
export const ofOperation: Readonly<Record<string, Readonly<Record<string, Reasons>>>> = {
  s3: {
    PutBucketPolicy: { ConfirmRemoveSelfBucketAccess: 'a caller may lock itself out without confirming it' },
    CopyObject: { AnnotationDirective: 'no object has annotations: none can be made' },
    ListParts: {
      SSECustomerAlgorithm: 'nothing of what is encrypted is told',
      SSECustomerKey: 'nothing of what is encrypted is told',
      SSECustomerKeyMD5: 'nothing of what is encrypted is told',
    },
    PutObjectLockConfiguration: {
      Token: "AWS's support gives it for buckets that exist; here lock can be switched on",
    },
    PutBucketReplication: { Token: 'as PutObjectLockConfiguration' },
  },
  organizations: { CreateAccount: { IamUserAccessToBilling: 'there is no billing' } },
  logs: {
    PutLogEvents: {
      sequenceToken: 'AWS takes every batch without one, and with any',
      entity: 'it links events to metrics, and there are none',
    },
    GetLogEvents: { unmask: 'nothing is masked: there are no data protection policies' },
    FilterLogEvents: {
      interleaved: 'AWS interleaves always, whatever it says',
      unmask: 'nothing is masked: there are no data protection policies',
    },
  },
  kms: {
    CreateKey: { XksKeyId: 'it goes with an Origin that is refused' },
    ListKeyPolicies: { Limit: 'a key has one policy', Marker: 'a key has one policy' },
  },
};
