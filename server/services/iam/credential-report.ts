// The credential report: one line of CSV for root and for each user. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
// (read 2026-11-21). As on AWS a report is made at most every four hours and read as it was then; it expires after a day.
// Nobody signs in by a password here, so it was never used: `no_information`.

import type { GenerateCredentialReportResponse, GetCredentialReportResponse } from '@aws-sdk/client-iam';
import { AwsError } from '../../errors.ts';
import { rootArn, timestamp, userArn } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { AccessKeyRow, UserRow } from '../../store/rows/iam.ts';
import { accountOf } from './account-row.ts';
import { mfaDevicesOf } from './mfa-devices.ts';
import { onEverything } from './permissions.ts';
import { credentialsOf } from './user-credentials.ts';

const freshForMs = 4 * 60 * 60 * 1000;
const keptForMs = 24 * 60 * 60 * 1000;

const keyColumns = (place: number) =>
  ['active', 'last_rotated', 'last_used_date', 'last_used_region', 'last_used_service'].map(
    (column) => `access_key_${place}_${column}`,
  );
const columns = [
  'user',
  'arn',
  'user_creation_time',
  'password_enabled',
  'password_last_used',
  'password_last_changed',
  'password_next_rotation',
  'mfa_active',
  ...keyColumns(1),
  ...keyColumns(2),
  'cert_1_active',
  'cert_1_last_rotated',
  'cert_2_active',
  'cert_2_last_rotated',
];

/** Recorded: no milliseconds. */
const time = (iso: string) => `${iso.slice(0, 19)}Z`;

function keyCells(key: AccessKeyRow | undefined): string[] {
  if (!key) return ['false', 'N/A', 'N/A', 'N/A', 'N/A'];
  const { lastUsed } = key;
  const used = lastUsed ? [time(lastUsed.date), lastUsed.region, lastUsed.service] : ['N/A', 'N/A', 'N/A'];
  return [String(key.status === 'Active'), time(key.createDate), ...used];
}

function rootLine(call: Call): string[] {
  const keys = call.tx.list('access-key', { accountId: call.accountId }).filter(({ owner }) => owner.kind === 'root');
  const { createdAt } = accountOf(call);
  return [
    '<root_account>',
    rootArn(call.partition, call.accountId),
    time(createdAt),
    'not_supported',
    'no_information',
    'not_supported',
    'not_supported',
    'false',
    ...keyCells(keys[0]),
    ...keyCells(keys[1]),
    ...['false', 'N/A', 'false', 'N/A'],
  ];
}

function passwordCells(call: Call, user: UserRow): string[] {
  const changed = call.tx.get('login-profile', user.userId)?.passwords[0]?.setAt;
  if (changed === undefined) return ['false', 'N/A', 'N/A', 'N/A'];
  const days = accountOf(call).passwordPolicy?.maxPasswordAge;
  const next = days === undefined ? 'N/A' : time(new Date(Date.parse(changed) + days * 86_400_000).toISOString());
  return ['true', 'no_information', time(changed), next];
}

function userLine(call: Call, user: UserRow): string[] {
  const all = call.tx.list('access-key', { accountId: call.accountId });
  // Recorded: keys by their ids, certificates that are inactive first, users whatever their case.
  const keys = all
    .filter(({ owner }) => owner.kind === 'user' && owner.userName === user.userName)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const certificates = credentialsOf(call, 'signing-certificate', user.userId).sort(
    (a, b) => Number(a.status === 'Active') - Number(b.status === 'Active'),
  );
  const certificateCells = [0, 1].flatMap((place) => {
    const certificate = certificates[place];
    return certificate ? [String(certificate.status === 'Active'), time(certificate.createDate)] : ['false', 'N/A'];
  });
  return [
    user.userName,
    userArn(call.partition, user),
    time(user.createDate),
    ...passwordCells(call, user),
    String(mfaDevicesOf(call, user.userId).length > 0),
    ...keyCells(keys[0]),
    ...keyCells(keys[1]),
    ...certificateCells,
  ];
}

function generate(call: Call): GenerateCredentialReportResponse {
  const account = accountOf(call);
  const { credentialReport: kept } = account;
  if (kept && call.now.getTime() - Date.parse(kept.generatedAt) < freshForMs) return { State: 'COMPLETE' };
  const place = ({ userName }: UserRow) => userName.toLowerCase();
  const users = call.tx.list('user', { accountId: call.accountId }).sort((a, b) => (place(a) < place(b) ? -1 : 1));
  const lines = [columns, rootLine(call), ...users.map((user) => userLine(call, user))];
  // User names may hold a comma.
  const cell = (text: string) => (text.includes(',') ? `"${text}"` : text);
  const content = lines.map((line) => line.map(cell).join(',')).join('\n');
  call.tx.put('account', { ...account, credentialReport: { generatedAt: timestamp(call.now), content } });
  const Description = kept ? undefined : 'No report exists. Starting a new report generation task';
  return { State: 'STARTED', ...(Description !== undefined && { Description }) };
}

function get(call: Call): GetCredentialReportResponse {
  const kept = accountOf(call).credentialReport;
  if (!kept)
    // Recorded, the word too.
    throw new AwsError('ReportNotPresent', 410, 'Unknown');
  if (call.now.getTime() - Date.parse(kept.generatedAt) > keptForMs) {
    throw new AwsError('ReportExpired', 410, 'Unknown');
  }
  return { Content: Buffer.from(kept.content), ReportFormat: 'text/csv', GeneratedTime: new Date(kept.generatedAt) };
}

export const credentialReport = {
  GenerateCredentialReport: operation<object, GenerateCredentialReportResponse>({
    authorize: onEverything,
    run: generate,
  }),
  GetCredentialReport: operation<object, GetCredentialReportResponse>({
    authorize: onEverything,
    run: get,
    readOnly: true,
  }),
};
