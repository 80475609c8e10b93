// S3 as its clients use it, each the real program: the AWS CLI, boto3 with its TransferManager, s3cmd, rclone. The SDK's are in tests/wire.
// One cloud for all; a client that is not installed is skipped.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { bringUp, type Own } from './own-cloud.ts';

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'postern-clients-'));
const large = randomBytes(12 * 1024 * 1024);
let cloud: Own;
let environment: Record<string, string | undefined>;

const isThere = (program: string, ...args: string[]) =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0 ? false : `${program} ${args.join(' ')} does not run here`;

before(async () => {
  cloud = await bringUp();
  // The loopback endpoint is plain HTTP: no authority is needed, and rclone does not take one.
  const { AWS_CA_BUNDLE: _, ...rest } = { ...process.env, ...cloud.environment };
  environment = { ...rest, AWS_EC2_METADATA_DISABLED: 'true' };
  mkdirSync(join(directory, 'src', 'd'), { recursive: true });
  writeFileSync(join(directory, 'src', 'large.bin'), large);
  writeFileSync(join(directory, 'src', 'd', 'ü x+%.txt'), 'small\n');
});
after(async () => {
  await cloud.end();
  rmSync(directory, { recursive: true, force: true });
});

const inDirectory = () => ({ cwd: directory, env: environment as NodeJS.ProcessEnv, maxBuffer: 1 << 24 });

const script = `
import boto3, io, json, os, urllib.request, urllib.error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
options = dict(endpoint_url=os.environ['ENDPOINT'], region_name='us-east-1', config=Config(s3={'addressing_style': 'path'}))
s3 = boto3.client('s3', **options)
B = 'boto-notes'
s3.create_bucket(Bucket=B)
parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
s3.upload_file('src/large.bin', B, 'large', Config=parts)
read = io.BytesIO()
s3.download_fileobj(B, 'large', read, Config=parts)
assert read.getvalue() == open('src/large.bin', 'rb').read()
s3.put_bucket_versioning(Bucket=B, VersioningConfiguration={'Status': 'Enabled'})
keys = ['../../etc/passwd', '/lead', 'a//b', '\\x01ctl', 'é' * 500 + 'x' * 24, '😀', 'a\\nb', '%2F', '+ &?#;=', 'k' * 1024, '\\uffff', 'dir/']
for key in keys:
    s3.put_object(Bucket=B, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=B, Key=key)['Body'].read() == key.encode(), key
    assert any(one['Key'] == key for one in s3.list_objects_v2(Bucket=B, Prefix=key[:300])['Contents']), key
try:
    s3.put_object(Bucket=B, Key='k' * 1025, Body=b'')
    raise AssertionError('a key of 1,025 bytes was taken')
except s3.exceptions.ClientError as error:
    assert error.response['Error']['Code'] == 'KeyTooLongError', error
s3.put_bucket_cors(Bucket=B, CORSConfiguration={'CORSRules': [{'AllowedMethods': ['GET'], 'AllowedOrigins': ['http://*.a.org'], 'ExposeHeaders': ['ETag']}]})
def http(method, url, headers={}, data=None):
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers, data=data))
        return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
url = s3.generate_presigned_url('get_object', Params={'Bucket': B, 'Key': '😀'})
status, headers, body = http('GET', url, {'Origin': 'http://x.a.org'})
assert (status, headers['Access-Control-Allow-Origin'], headers['Access-Control-Expose-Headers']) == (200, 'http://x.a.org', 'ETag'), (status, body)
post = s3.generate_presigned_post(B, 'up/\${filename}', Conditions=[['content-length-range', 1, 100]])
def upload(body):
    text = b''
    for name, value in post['fields'].items():
        text += f'--mark\\r\\nContent-Disposition: form-data; name="{name}"\\r\\n\\r\\n{value}\\r\\n'.encode()
    text += b'--mark\\r\\nContent-Disposition: form-data; name="file"; filename="f.txt"\\r\\n\\r\\n' + body + b'\\r\\n--mark--\\r\\n'
    return http('POST', post['url'], {'Content-Type': 'multipart/form-data; boundary=mark'}, text)
assert upload(b'from a form')[0] == 204
assert s3.get_object(Bucket=B, Key='up/f.txt')['Body'].read() == b'from a form'
status, _, body = upload(b'x' * 101)
assert status == 400 and b'EntityTooLarge' in body, body
s3.put_bucket_website(Bucket=B, WebsiteConfiguration={'IndexDocument': {'Suffix': 'index.html'}})
host = {'Host': B + '.s3-website-us-east-1.amazonaws.com'}
assert http('GET', os.environ['ENDPOINT'] + '/', host)[0] == 403
s3.delete_public_access_block(Bucket=B)
s3.put_bucket_policy(Bucket=B, Policy=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': '*', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::' + B + '/*'}]}))
s3.put_object(Bucket=B, Key='index.html', Body=b'home', ContentType='text/html')
assert http('GET', os.environ['ENDPOINT'] + '/', host)[2] == b'home'
_, headers, _ = http('GET', os.environ['ENDPOINT'] + '/', {**host, 'Origin': 'http://x.a.org'})
assert headers['Access-Control-Allow-Origin'] == 'http://x.a.org', dict(headers)
bucket = boto3.resource('s3', **options).Bucket(B)
# Not by DeleteObjects: its answer has keys that XML 1.0 cannot write, on S3 too.
for version in bucket.object_versions.all():
    version.delete()
bucket.delete()
print('gone')
`;

test('boto3: parts, keys at their limits, versions, CORS, a form, a website', {
  skip: isThere('/usr/bin/python3', '-c', 'import boto3'),
}, async () => {
  writeFileSync(join(directory, 'boto.py'), script);
  const env = { ...environment, ENDPOINT: cloud.endpoint };
  const { stdout } = await run('/usr/bin/python3', ['boto.py'], { ...inDirectory(), env });
  assert.equal(stdout, 'gone\n');
});

test('aws s3: cp in parts, sync, mv, presign, rm', { skip: isThere('aws', '--version') }, async () => {
  const aws = async (...args: string[]) =>
    (await run('aws', ['--endpoint-url', cloud.endpoint, 's3', ...args], inDirectory())).stdout;
  await aws('mb', 's3://cli-notes');
  // Above 8 MB it is parts, and back it is ranges.
  await aws('cp', 'src/large.bin', 's3://cli-notes/large.bin');
  await aws('sync', 'src', 's3://cli-notes/all');
  await aws('mv', 's3://cli-notes/large.bin', 's3://cli-notes/moved.bin');
  await aws('cp', 's3://cli-notes/moved.bin', 'moved.bin');
  assert.ok(readFileSync(join(directory, 'moved.bin')).equals(large));
  const url = (await aws('presign', 's3://cli-notes/all/d/ü x+%.txt')).trim();
  assert.equal(await (await fetch(url)).text(), 'small\n');
  rmSync(join(directory, 'src', 'd', 'ü x+%.txt'));
  await aws('sync', '--delete', 'src', 's3://cli-notes/all');
  writeFileSync(join(directory, 'src', 'd', 'ü x+%.txt'), 'small\n');
  const listed = (await aws('ls', '--recursive', 's3://cli-notes')).trim().split('\n');
  assert.deepEqual(listed.map((line) => line.replace(/^.* /, '')).sort(), ['all/large.bin', 'moved.bin']);
  await aws('rm', '--recursive', 's3://cli-notes');
  await aws('rb', 's3://cli-notes');
});

test('s3cmd: put in parts, list, get, copy, remove', { skip: isThere('s3cmd', '--version') }, async () => {
  const host = new URL(cloud.endpoint).host;
  const settings = [
    '[default]',
    `access_key=${environment['AWS_ACCESS_KEY_ID']}`,
    `secret_key=${environment['AWS_SECRET_ACCESS_KEY']}`,
    `host_base=${host}`,
    `host_bucket=${host}`,
    'use_https=False',
    'bucket_location=us-east-1',
  ];
  writeFileSync(join(directory, 's3cfg'), settings.join('\n'), { mode: 0o600 });
  const s3cmd = async (...args: string[]) =>
    (await run('s3cmd', ['-c', 's3cfg', '--no-progress', ...args], inDirectory())).stdout;
  await s3cmd('mb', 's3://cmd-notes');
  await s3cmd('put', '--multipart-chunk-size-mb=5', 'src/large.bin', 's3://cmd-notes/large.bin');
  await s3cmd('sync', 'src/', 's3://cmd-notes/all/');
  assert.match(await s3cmd('ls', '-r', 's3://cmd-notes'), /all\/d\/ü x\+%\.txt/);
  await s3cmd('cp', 's3://cmd-notes/large.bin', 's3://cmd-notes/copy');
  await s3cmd('get', 's3://cmd-notes/copy', 'cmd.bin');
  assert.ok(readFileSync(join(directory, 'cmd.bin')).equals(large));
  await s3cmd('rm', '-r', '--force', 's3://cmd-notes/');
  await s3cmd('rb', 's3://cmd-notes');
});

test('rclone: sync in parts, check byte by byte, copy on the server, purge', {
  skip: isThere('rclone', 'version'),
}, async () => {
  const settings = ['[p]', 'type = s3', 'provider = Other', 'env_auth = true', `endpoint = ${cloud.endpoint}`];
  writeFileSync(
    join(directory, 'rclone.conf'),
    [...settings, 'region = us-east-1', 'force_path_style = true'].join('\n'),
  );
  const rclone = (...args: string[]) =>
    run('rclone', ['--config', 'rclone.conf', '--retries', '1', '--low-level-retries', '1', ...args], inDirectory());
  // Debian's version puts `x-amz-acl: private` on everything, which a bucket without lists refuses, as S3 does.
  const credentials = {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  const s3 = new S3Client({ endpoint: cloud.endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await s3.send(new CreateBucketCommand({ Bucket: 'rclone-notes', ObjectOwnership: 'BucketOwnerPreferred' }));
  await rclone('sync', 'src', 'p:rclone-notes', '--s3-chunk-size', '5M', '--s3-upload-cutoff', '6M');
  await rclone('check', 'src', 'p:rclone-notes', '--download');
  await rclone('copyto', 'p:rclone-notes/large.bin', 'p:rclone-notes/copy', '--s3-copy-cutoff', '6M');
  const { stdout } = await rclone('lsf', '-R', 'p:rclone-notes');
  assert.deepEqual(stdout.trim().split('\n').sort(), ['copy', 'd/', 'd/ü x+%.txt', 'large.bin']);
  await rclone('purge', 'p:rclone-notes');
});
