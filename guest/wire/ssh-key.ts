// Key pairs for ssh. Of the Ed25519 keys that ssh2 (1.17) makes, one in some 280 is written so that nobody can read it again ("Malformed OpenSSH private key"): each
// is read before it is given out.

import ssh2 from 'ssh2';

export interface SshKey {
  readonly private: string;
  readonly public: string;
}

export function isReadableKey(text: string): boolean {
  return !(ssh2.utils.parseKey(text) instanceof Error);
}

export function newSshKey(comment = ''): SshKey {
  for (;;) {
    const made = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    if (isReadableKey(made.private) && isReadableKey(made.public)) return made;
  }
}
