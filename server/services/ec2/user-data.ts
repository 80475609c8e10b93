// Is this user data what EC2 takes? Base64 of at most 16 KB. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html (read 2026-11-21).

import { ec2Error, invalidParameterValue } from './errors.ts';

const limitBytes = 16_384;

/**
 * @returns the text as it is kept, or undefined for none
 * @throws InvalidUserData.Malformed, InvalidParameterValue
 */
export function checkUserData(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  const compact = text.replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.replace(/=+$/, '').length % 4 === 1)
    throw ec2Error('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.');
  if (Buffer.from(compact, 'base64').length > limitBytes)
    throw invalidParameterValue(`User data is limited to ${limitBytes} bytes`);
  return compact;
}
