// Rows of KMS. A key's material is in its row, so in the database, which only its owner can read: a key that is deleted is gone with all that it encrypted.

import type { Row } from '../store.ts';

export interface KmsKeyRow extends Row {
  /** `id` is the key's ARN. */
  keyId: string;
  /** Absent: SYMMETRIC_DEFAULT. */
  spec?: string;
  /** Absent: ENCRYPT_DECRYPT. */
  usage?: string;
  /** Base64 of what the key was made with: secret bytes, or a private key (PKCS #8). Empty where it is imported. */
  material: string;
  /** Present: its materials are imported (origin EXTERNAL). */
  imported?: {
    /** Seals import tokens; base64. */
    tokenSecret: string;
    /** Oldest first; the last that is not pending is the current one. */
    materials: ImportedMaterial[];
  };
  /** What came after it, oldest first: the last is sealed with, all are opened with. */
  rotations?: { material: string; date: string }[];
  description: string;
  creationDate: string;
  enabled: boolean;
  /** Present: pending deletion, and gone from then on. */
  deletionDate?: string;
  /** Present: a primary key that is deleted so many days after its last replica; the date is there when all of theirs are. */
  replicaWindowDays?: number;
  /** Present: one of the keys, in a region each, that share id, material and rotation; their other members are their own. */
  multiRegion?: { primaryRegion: string };
  /** `AWS`: made by a service for itself when it was first needed. */
  manager: 'AWS' | 'CUSTOMER';
  policy: string;
  tags: Record<string, string>;
  rotationDays?: number;
}

export interface ImportedMaterial {
  /** As it is told: of the key and the bytes, so bytes that are imported again have the id that they had. */
  id: string;
  /** Base64; absent: deleted, to be imported again. */
  bytes?: string;
  /** Gone from then on. */
  validTo?: string;
  description?: string;
  /** It waits for RotateKeyOnDemand. */
  pending?: true;
  /** When it became current by rotation: not the first. */
  rotated?: string;
}

export interface KmsAliasRow extends Row {
  /** `id` is the alias's ARN; the name begins with `alias/`. */
  name: string;
  keyArn: string;
  creationDate: string;
  lastUpdatedDate: string;
}

/** `id` is the grant's; account and region are the key's. */
export interface KmsGrantRow extends Row {
  keyArn: string;
  /** Whom it permits: an ARN, a user or role of this cloud by its unique id, or a service. */
  grantee: string;
  /** Who may retire it, in the same spelling. */
  retiring?: string;
  operations: string[];
  constraints?: { subset?: Record<string, string>; equals?: Record<string, string>; sourceArn?: string };
  name?: string;
  /** The ARN of its root. */
  issuingAccount: string;
  creationDate: string;
}

export interface KmsRows {
  'kms-key': KmsKeyRow;
  'kms-alias': KmsAliasRow;
  'kms-grant': KmsGrantRow;
}
