// Every service that is served, in one table: for the pipeline, and for docs/coverage.md, which says of each what is served.

import { OpenChannels } from './open-channels.ts';
import type { Service } from './service.ts';
import { account } from './services/account/index.ts';
import { createCloudtrail } from './services/cloudtrail/index.ts';
import { createDynamodb, type DynamodbService } from './services/dynamodb/index.ts';
import { ec2 } from './services/ec2/index.ts';
import { ec2InstanceConnect } from './services/ec2-instance-connect/index.ts';
import { elasticLoadBalancing } from './services/elastic-load-balancing/index.ts';
import { iam } from './services/iam/index.ts';
import { kms } from './services/kms/index.ts';
import { logs } from './services/logs/index.ts';
import { organizations } from './services/organizations/index.ts';
import { createS3, type S3Service } from './services/s3/index.ts';
import { createSsm } from './services/ssm/index.ts';
import { sts } from './services/sts/index.ts';
import type { Store } from './store/store.ts';
import { EventHistory } from './trail/event-history.ts';

export interface Services {
  /** By the catalogue's name. */
  readonly all: ReadonlyMap<string, Service>;
  /** Those that keep something beside the rows, which somebody must sweep and close. */
  readonly s3: S3Service;
  readonly dynamodb: DynamodbService;
  /** Of Systems Manager's agents. */
  readonly channels: OpenChannels;
  readonly history: EventHistory;
}

export interface ServiceParts {
  readonly store: Store;
  readonly dataDirectory: string;
  readonly log: (text: string) => void;
}

/** Starts nothing: what a service needs besides, it starts with its first request. */
export function createServices({ store, dataDirectory, log }: ServiceParts): Services {
  const s3 = createS3(store, dataDirectory);
  const dynamodb = createDynamodb(dataDirectory, log);
  const channels = new OpenChannels();
  const history = new EventHistory({
    directory: dataDirectory,
    store,
    onError: (error) => log(`CloudTrail's records are not written: ${error.message}`),
  });
  const all = [
    ec2,
    s3.service,
    s3.control,
    dynamodb.service,
    iam,
    sts,
    organizations,
    kms,
    logs,
    account,
    ec2InstanceConnect,
    createSsm(channels),
    createCloudtrail(history),
    elasticLoadBalancing,
  ];
  return { all: new Map(all.map((service) => [service.name, service])), s3, dynamodb, channels, history };
}
