// Calls that name many and go on where one of them is wrong: what could not be done is listed, the rest is done (V5).

import type { UnsuccessfulItem } from '@aws-sdk/client-ec2';
import { AwsError } from '../../errors.ts';

export function eachForItself(ids: readonly string[], work: (id: string) => void): UnsuccessfulItem[] {
  return [...new Set(ids)].flatMap((id) => {
    try {
      work(id);
      return [];
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return [{ ResourceId: id, Error: { Code: error.code, Message: error.message } }];
    }
  });
}
