// How a request reached the service. Read from the two addresses of the socket and from TLS, never from anything a client says (design, "the path is in the address").
// The keys that follow from it are table 6.5 of the semantics; `authorize/` derives them and nothing else may.

import type { Ipv4, NetworkInterfaceId, VpcEndpointId, VpcId } from '@postern/network/snapshot.ts';

export type RequestPath = InternetPath | EndpointPath;

/** Over the internet: from the person's terminal, or from an instance through an internet gateway. */
export interface InternetPath {
  readonly kind: 'internet';
  /** The public address that the service sees. */
  readonly sourceIp: Ipv4;
  readonly secure: boolean;
  readonly tls?: TlsDetails;
}

/** Through a VPC endpoint: the source keeps its private address. */
export interface EndpointPath {
  readonly kind: 'endpoint';
  readonly vpcEndpointId: VpcEndpointId;
  readonly vpcId: VpcId;
  readonly sourceIp: Ipv4;
  readonly secure: boolean;
  readonly tls?: TlsDetails;
}

/** What client and server agreed on; of a request that is `secure`. */
export interface TlsDetails {
  /** `TLSv1.3` */
  readonly version: string;
  /** IANA's name: `TLS_AES_128_GCM_SHA256`. */
  readonly cipherSuite: string;
}

/** Who asks the metadata service or the resolver. */
export interface LinkLocalOrigin {
  readonly vpcId: VpcId;
  readonly privateIp: Ipv4;
  readonly networkInterfaceId?: NetworkInterfaceId;
}
