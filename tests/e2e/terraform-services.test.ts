// Terraform, unmodified, against S3, IAM, STS, KMS and CloudTrail: its state in a bucket with a lock, a bucket with everything, and a role that another configuration
// takes and that may do what its policy says. Skipped where there is no Terraform.
// No lifecycle configuration: the provider waits for nearly a minute until it believes one, on AWS too.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { IAM } from '@aws-sdk/client-iam';
import { S3 } from '@aws-sdk/client-s3';
import { bringUp, type Own } from './own-cloud.ts';
import { whyNoTerraform as skip, Terraform } from './terraform.ts';

const backend = `
terraform {
  backend "s3" {
    bucket       = "states"
    key          = "services.tfstate"
    region       = "us-east-1"
    use_lockfile = true
  }
}
`;

/** What is changed in place is a parameter. */
const everything = (level: string) => `
${backend}
resource "aws_kms_key" "notes" {
  deletion_window_in_days = 7
}
resource "aws_s3_bucket" "log" {
  bucket = "terraform-log"
}
resource "aws_s3_bucket" "trail" {
  bucket        = "terraform-trail"
  force_destroy = true
}
resource "aws_s3_bucket_policy" "trail" {
  bucket = aws_s3_bucket.trail.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Principal = { Service = "cloudtrail.amazonaws.com" }, Action = "s3:GetBucketAcl", Resource = aws_s3_bucket.trail.arn },
      { Effect = "Allow", Principal = { Service = "cloudtrail.amazonaws.com" }, Action = "s3:PutObject", Resource = "\${aws_s3_bucket.trail.arn}/AWSLogs/*" },
    ]
  })
}
resource "aws_cloudtrail" "notes" {
  depends_on            = [aws_s3_bucket_policy.trail]
  name                  = "notes"
  s3_bucket_name        = aws_s3_bucket.trail.id
  is_multi_region_trail = true
  tags                  = { level = "${level}" }
  event_selector {
    data_resource {
      type   = "AWS::S3::Object"
      values = ["\${aws_s3_bucket.notes.arn}/"]
    }
  }
}
resource "aws_s3_bucket" "notes" {
  bucket        = "terraform-notes"
  force_destroy = true
  tags          = { level = "${level}" }
}
resource "aws_s3_bucket_versioning" "notes" {
  bucket = aws_s3_bucket.notes.id
  versioning_configuration {
    status     = "Enabled"
    mfa_delete = "Disabled"
  }
}
resource "aws_s3_bucket_server_side_encryption_configuration" "notes" {
  bucket = aws_s3_bucket.notes.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.notes.arn
    }
  }
}
resource "aws_s3_bucket_public_access_block" "notes" {
  bucket                  = aws_s3_bucket.notes.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
resource "aws_s3_bucket_ownership_controls" "notes" {
  bucket = aws_s3_bucket.notes.id
  rule { object_ownership = "BucketOwnerPreferred" }
}
resource "aws_s3_bucket_acl" "notes" {
  depends_on = [aws_s3_bucket_ownership_controls.notes]
  bucket     = aws_s3_bucket.notes.id
  acl        = "private"
}
resource "aws_s3_bucket_cors_configuration" "notes" {
  bucket = aws_s3_bucket.notes.id
  cors_rule {
    allowed_methods = ["GET"]
    allowed_origins = ["https://notes.example"]
  }
}
resource "aws_s3_bucket_website_configuration" "notes" {
  bucket = aws_s3_bucket.notes.id
  index_document { suffix = "index.html" }
}
resource "aws_s3_bucket_logging" "notes" {
  bucket        = aws_s3_bucket.notes.id
  target_bucket = aws_s3_bucket.log.id
  target_prefix = "${level}/"
}
resource "aws_s3_bucket_notification" "notes" {
  bucket      = aws_s3_bucket.notes.id
  eventbridge = true
}
resource "aws_s3_bucket_inventory" "notes" {
  bucket                   = aws_s3_bucket.notes.id
  name                     = "all"
  included_object_versions = "All"
  schedule { frequency = "Daily" }
  destination {
    bucket {
      format     = "CSV"
      bucket_arn = aws_s3_bucket.log.arn
    }
  }
}
resource "aws_s3_object" "notes" {
  for_each   = toset(["open", "closed"])
  depends_on = [aws_s3_bucket_versioning.notes, aws_s3_bucket_server_side_encryption_configuration.notes]
  bucket     = aws_s3_bucket.notes.id
  key        = "\${each.key}/note"
  content    = "\${each.key}, ${level}"
  tags       = { level = "${level}" }
  # Of others its data source gives no body.
  content_type = "text/plain"
}

resource "aws_iam_user" "operator" {
  name = "operator"
}
resource "aws_iam_access_key" "operator" {
  user = aws_iam_user.operator.name
}
resource "aws_iam_role" "reader" {
  name = "reader"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = aws_iam_user.operator.arn }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = "notes" } }
    }]
  })
}
data "aws_iam_policy_document" "reader" {
  statement {
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.notes.arn]
  }
  statement {
    # The provider reads the version that it found, and its tags.
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging"]
    resources = ["\${aws_s3_bucket.notes.arn}/open/*"]
  }
  statement {
    actions   = ["s3:GetObject*"]
    resources = ["\${aws_s3_bucket.notes.arn}/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:SourceVpce"
      values   = ["vpce-0123456789abcdef0"]
    }
  }
}
resource "aws_iam_role_policy" "reader" {
  role   = aws_iam_role.reader.name
  policy = data.aws_iam_policy_document.reader.json
}
resource "aws_kms_grant" "reader" {
  key_id            = aws_kms_key.notes.arn
  grantee_principal = aws_iam_role.reader.arn
  operations        = ["Decrypt"]
  constraints {
    encryption_context_subset = { "aws:s3:arn" = aws_s3_bucket.notes.arn }
  }
}
output "reader" {
  value = aws_iam_role.reader.arn
}
output "key" {
  value     = [aws_iam_access_key.operator.id, aws_iam_access_key.operator.secret]
  sensitive = true
}
`;

const reading = (role: string, key: string) => `
provider "aws" {
  assume_role {
    role_arn    = "${role}"
    external_id = "notes"
  }
}
data "aws_s3_object" "note" {
  bucket = "terraform-notes"
  key    = "${key}"
}
output "note" {
  value = data.aws_s3_object.note.body
}
`;

let own: Own;
let s3: S3;
let iam: IAM;
let terraform: Terraform;

before(async () => {
  if (skip) return;
  own = await bringUp();
  const client = {
    endpoint: own.endpoint,
    region: 'us-east-1',
    credentials: {
      accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  };
  s3 = new S3({ ...client, forcePathStyle: true });
  iam = new IAM(client);
  await s3.createBucket({ Bucket: 'states' });
  terraform = new Terraform(own, everything('one'));
  await terraform.init();
});

after(async () => {
  terraform?.end();
  await own?.end();
});

const keysIn = async (Bucket: string) => (await s3.listObjectsV2({ Bucket })).Contents?.map(({ Key }) => Key) ?? [];

test('a bucket with everything and a role: nothing to change the second time', { skip }, async () => {
  assert.match(await terraform.apply(), /23 added/);
  assert.equal(await terraform.drift(), '');
  assert.deepEqual(await keysIn('states'), ['services.tfstate']);
  assert.deepEqual(await keysIn('terraform-notes'), ['closed/note', 'open/note']);
});

test('the lock of the state is an object: who finds it waits, until it is taken away by its id', { skip }, async () => {
  const Key = 'services.tfstate.tflock';
  const lock = { ID: '3a6b5b1e-0000-4000-8000-000000000000', Operation: 'OperationTypeApply', Who: 'ana@elsewhere' };
  await s3.putObject({ Bucket: 'states', Key, Body: JSON.stringify(lock), IfNoneMatch: '*' });
  const { status, out } = await terraform.run('apply', '-no-color', '-input=false', '-auto-approve');
  assert.equal(status, 1);
  assert.match(out, /Error acquiring the state lock[\s\S]*StatusCode: 412[\s\S]*ana@elsewhere/);
  assert.equal((await terraform.run('force-unlock', '-force', lock.ID)).status, 0);
  assert.deepEqual(await keysIn('states'), ['services.tfstate']);
});

test('what changes is changed in place', { skip }, async () => {
  terraform.write(everything('two'));
  assert.match(await terraform.apply(), /0 added, 5 changed, 0 destroyed/);
  assert.equal(await terraform.drift(), '');
});

test('another configuration takes the role, and may read what its policy says: a prefix, or all through an endpoint', {
  skip,
}, async () => {
  const { reader, key } = (await terraform.outputs()) as { reader: string; key: [string, string] };
  const environment = { ...own.environment, AWS_ACCESS_KEY_ID: key[0], AWS_SECRET_ACCESS_KEY: key[1] };
  const other = new Terraform({ ...own, environment }, reading(reader, 'open/note'));
  try {
    await other.init();
    await other.apply();
    assert.deepEqual(await other.outputs(), { note: 'open, two' });
    other.write(reading(reader, 'closed/note'));
    const { status, out } = await other.run('apply', '-no-color', '-input=false', '-auto-approve');
    assert.equal(status, 1);
    assert.match(out, /HeadObject[\s\S]*StatusCode: 403/);
  } finally {
    other.end();
  }
});

test('destroy leaves nothing', { skip }, async () => {
  assert.match(await terraform.destroy(), /23 destroyed/);
  assert.deepEqual(await terraform.resources(), []);
  assert.deepEqual(
    (await s3.listBuckets()).Buckets?.map(({ Name }) => Name),
    ['states'],
  );
  assert.deepEqual((await iam.listUsers()).Users, []);
  assert.ok(!(await iam.listRoles()).Roles?.some(({ RoleName }) => RoleName === 'reader'));
});
