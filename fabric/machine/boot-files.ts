// What differs from machine to machine inside /etc and /home, as text (pure). What all machines share is in the image (image.ts).
// Amazon Linux's ways are followed: user ec2-user, prompt `[ec2-user@ip-10-0-0-4 ~]$`, authorized_keys written at the first boot only.

import { createHash } from 'node:crypto';
import type { Lease, MachineSpec } from '../types.ts';

export interface BootFile {
  readonly path: string;
  /** Octal digits. */
  readonly mode: string;
  readonly text: string;
  /** Written only when it isn't there: it survives on the disk and belongs to the user from then on. */
  readonly onlyWhenMissing?: boolean;
}

/** Where the system bundle with Postern's CA lies inside every machine. */
export const caBundle = '/etc/ssl/certs/ca-certificates.crt';

/**
 * The environment of every shell, `exec` and user data script. The AWS CLI, Python's requests and Node carry bundles of their own, so each is told.
 * AWS_DEFAULT_REGION is not here: EC2 doesn't set it either, and `aws s3 ls` works without.
 */
export function machineEnvironment(): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/home/ec2-user',
    USER: 'ec2-user',
    LOGNAME: 'ec2-user',
    SHELL: '/bin/bash',
    LANG: 'C.UTF-8',
    AWS_CA_BUNDLE: caBundle,
    SSL_CERT_FILE: caBundle,
    REQUESTS_CA_BUNDLE: caBundle,
    NODE_EXTRA_CA_CERTS: caBundle,
    CURL_CA_BUNDLE: caBundle,
  };
}

/** What a DHCP client writes each time it gets or renews a lease, over whatever is there: name servers, and chrony's time servers. */
export function leaseFiles({ nameServers, domainName, timeServers }: Lease): BootFile[] {
  const search = domainName ? `search ${domainName}\n` : '';
  const servers = nameServers.map((server) => `nameserver ${server}\n`).join('');
  return [
    { path: '/etc/resolv.conf', mode: '0644', text: `${search}${servers}options timeout:2 attempts:5\n` },
    {
      path: '/run/chrony.d/dhcp.sources',
      mode: '0644',
      text: timeServers.map((server) => `server ${server} iburst\n`).join(''),
    },
  ];
}

/** Every file that a machine's init writes before it boots. */
export function bootFiles(spec: MachineSpec): BootFile[] {
  const domain = spec.lease.domainName?.split(' ')[0];
  const qualified = domain ? `${spec.hostname}.${domain}` : undefined;
  const prompt = (user: string, sign: string) => `[ -n "$PS1" ] && PS1='[${user}@\\h \\W]${sign} '\n`;
  const home = '/home/ec2-user';
  return [
    { path: '/etc/hostname', mode: '0644', text: `${spec.hostname}\n` },
    {
      path: '/etc/hosts',
      mode: '0644',
      text: `127.0.0.1 localhost\n127.0.1.1 ${qualified ? `${qualified} ` : ''}${spec.hostname}\n`,
    },
    ...leaseFiles(spec.lease),
    // 32 hex digits, the same for the life of the instance (man 5 machine-id).
    {
      path: '/etc/machine-id',
      mode: '0444',
      text: `${createHash('sha256').update(spec.instanceId).digest('hex').slice(0, 32)}\n`,
      onlyWhenMissing: true,
    },
    {
      path: `${home}/.ssh/authorized_keys`,
      mode: '0600',
      text: spec.authorizedKeys.map((key) => `${key.trim()}\n`).join(''),
      onlyWhenMissing: true,
    },
    {
      path: `${home}/.bashrc`,
      mode: '0644',
      text: `[ -f /etc/bashrc ] && . /etc/bashrc\n${prompt('ec2-user', '$')}`,
      onlyWhenMissing: true,
    },
    { path: `${home}/.bash_profile`, mode: '0644', text: '[ -f ~/.bashrc ] && . ~/.bashrc\n', onlyWhenMissing: true },
    { path: '/root/.bashrc', mode: '0644', text: prompt('root', '#'), onlyWhenMissing: true },
    { path: '/root/.bash_profile', mode: '0644', text: '[ -f ~/.bashrc ] && . ~/.bashrc\n', onlyWhenMissing: true },
  ];
}
