// The types of a catalogue: operations and the shapes of what they take and give, as the edge walks them.
// They are the Smithy model of the SDK without what only the SDK needs. Source: scripts/extract-catalogue.mjs.

export type Protocol = 'ec2-query' | 'aws-query' | 'aws-json-1.0' | 'aws-json-1.1' | 'rest-json' | 'rest-xml';

/** How a member or a shape looks on the wire. */
export interface Traits {
  readonly xmlName?: string;
  readonly ec2QueryName?: string;
  readonly xmlFlattened?: 1;
  readonly xmlAttribute?: 1;
  /** `[prefix, uri]` */
  readonly xmlNamespace?: readonly [string, string];
  readonly jsonName?: string;
  readonly httpLabel?: 1;
  readonly httpPayload?: 1;
  readonly httpHeader?: string;
  readonly httpQuery?: string;
  readonly httpQueryParams?: 1;
  readonly httpPrefixHeaders?: string;
  readonly httpResponseCode?: 1;
  readonly idempotencyToken?: 1;
  readonly streaming?: 1;
  /** A secret: no log may have it. */
  readonly sensitive?: 1;
  readonly httpError?: number;
  /** `[code, status]` of the error in a query protocol. */
  readonly awsQueryError?: readonly [string, number];
}

export type TimestampFormat = 'date-time' | 'http-date' | 'epoch-seconds';

/** `format` is undefined where the protocol and the place decide. */
export type SimpleShape =
  | {
      readonly kind: 'string' | 'number' | 'boolean' | 'blob' | 'document' | 'big-integer' | 'big-decimal';
      readonly traits: Traits;
    }
  | { readonly kind: 'timestamp'; readonly format: TimestampFormat | undefined; readonly traits: Traits };

export interface ListShape {
  readonly kind: 'list';
  readonly name: string;
  readonly traits: Traits;
  readonly member: Member;
}

export interface MapShape {
  readonly kind: 'map';
  readonly name: string;
  readonly traits: Traits;
  readonly key: Member;
  readonly value: Member;
}

export interface StructureShape {
  readonly kind: 'structure' | 'union';
  readonly name: string;
  readonly traits: Traits;
  readonly members: readonly Member[];
}

export type Shape = SimpleShape | ListShape | MapShape | StructureShape;

/** A member of a structure, or the element of a list or map. Its own traits win over its shape's. */
export interface Member {
  readonly name: string;
  readonly shape: Shape;
  /** The member's own and its shape's, merged. */
  readonly traits: Traits;
  /** The member's own alone: an XML name is never inherited. */
  readonly ownTraits: Traits;
  readonly required: boolean;
}

/** What is known of a service before its shapes are read. */
export interface ServiceSummary {
  /** The catalogue's name: `ec2`, `s3` … */
  readonly name: string;
  readonly signingNames: readonly string[];
  /** First labels of its host names: `s3` for `s3.REGION.amazonaws.com`. */
  readonly hosts: readonly string[];
  readonly protocol: Protocol;
  readonly apiVersion: string;
  /** What precedes the operation in `X-Amz-Target`. */
  readonly targetPrefix: string;
  readonly xmlNamespace: string;
  /** Operations that may be called without a signature. */
  readonly unsigned: readonly string[];
  /** Its answers carry their checksum in `x-amz-crc32`. */
  readonly crc32: boolean;
  /** Its paths, or its hosts, begin with a bucket's name. */
  readonly bucketPaths: boolean;
  readonly operations: readonly string[];
}

export interface HttpBinding {
  readonly method: string;
  /** As modelled, e.g. `/{Key+}?uploads`. */
  readonly uri: string;
  readonly status: number;
}

export interface OperationModel {
  readonly service: ServiceModel;
  readonly name: string;
  readonly input: StructureShape | undefined;
  readonly output: StructureShape | undefined;
  /** Only for rest-json and rest-xml. */
  readonly http: HttpBinding | undefined;
  /** The body is the one member itself, without a wrapper (GetBucketLocation). */
  readonly unwrapped: boolean;
  /** The checksum headers of the request are of its body. */
  readonly checksummed: boolean;
  /** The input member that is the body as a stream; such a body is never held in memory. */
  readonly streamingInput: string | undefined;
  readonly streamingOutput: string | undefined;
}

/** A modelled error, by the name that the SDK gives it. */
export interface ErrorModel {
  readonly name: string;
  /** The code on the wire of a query protocol, which may differ from the name. */
  readonly queryCode: string;
  readonly status: number;
  readonly shape: StructureShape;
}

export interface ServiceModel extends ServiceSummary {
  /** The operation, or undefined when the API has none of that name. Its shapes are built on first use. */
  operation(name: string): OperationModel | undefined;
  error(nameOrCode: string): ErrorModel | undefined;
  /** `[name, binding, required members by place]` of every REST operation, without building shapes. */
  readonly routes: readonly RouteRow[];
}

export interface RouteRow {
  readonly name: string;
  readonly http: HttpBinding;
  /** True when the operation is on a bucket: the SDK's S3 templates leave the bucket out. */
  readonly onBucket: boolean;
  readonly requiredQueries: readonly string[];
  readonly requiredHeaders: readonly string[];
}
