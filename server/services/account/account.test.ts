import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { awsError, makeStore, runOperation } from '../../testing.ts';
import { account } from './index.ts';

interface Regions {
  Regions: { RegionName: string; RegionOptStatus: string }[];
  NextToken?: string;
}

const list = (input: unknown = {}, partition = 'aws') =>
  runOperation<Regions>(makeStore(), account, 'ListRegions', input, { partition });

describe('account', () => {
  it('lists the regions of the partition, page by page, each once', async () => {
    const all = (await list()).Regions.map((region) => region.RegionName);
    assert.ok(all.includes('us-east-1') && !all.includes('cn-north-1'));
    const names: string[] = [];
    let token: string | undefined;
    do {
      const page = await list({ MaxResults: 7, ...(token !== undefined && { NextToken: token }) });
      names.push(...page.Regions.map((region) => region.RegionName));
      token = page.NextToken;
    } while (token !== undefined);
    assert.deepEqual(names, all);
    assert.deepEqual(
      (await list({}, 'aws-cn')).Regions.map((region) => region.RegionName),
      ['cn-north-1', 'cn-northwest-1'],
    );
  });

  it('tells regions that are there by default from those that one opts into', async () => {
    const status = (RegionName: string) => runOperation(makeStore(), account, 'GetRegionOptStatus', { RegionName });
    assert.equal((await status('eu-west-1')).RegionOptStatus, 'ENABLED_BY_DEFAULT');
    assert.equal((await status('af-south-1')).RegionOptStatus, 'ENABLED');
    await assert.rejects(status('mars-north-1'), awsError('ValidationException'));
    const { Regions } = await list({ RegionOptStatusContains: ['ENABLED'] });
    assert.ok(Regions.length > 0 && Regions.every((region) => region.RegionOptStatus === 'ENABLED'));
  });

  it('refuses to speak about another account', async () => {
    await assert.rejects(list({ AccountId: '210987654321' }), awsError('AccessDeniedException'));
  });
});
