// Rows of EC2 Instance Connect: a public key that an instance's metadata shows for 60 seconds (J1).

import type { InstanceId } from '@postern/network/snapshot.ts';
import type { Row } from '../store.ts';

export interface InstanceConnectKeyRow extends Row {
  /** `INSTANCE/USER`: a later key replaces an earlier one. */
  instanceId: InstanceId;
  user: string;
  publicKey: string;
  /** ISO time. */
  expiresAt: string;
}

export interface InstanceConnectRows {
  'instance-connect-key': InstanceConnectKeyRow;
}
