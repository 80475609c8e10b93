// Terraform, unmodified, against a real cloud: a network is built, felt by packets, changed, and taken away. Skipped where there is no Terraform.
// A command of Terraform takes seconds of processor time, so there are few of them; what the provider asks and expects is in the tests of server/services/ec2.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import { attempt, inside, patient, postern, webServer } from './inside.ts';
import { bringUp, type Own } from './own-cloud.ts';
import { whyNoTerraform as skip, Terraform } from './terraform.ts';

const configuration = `
provider "aws" {
  default_tags {
    tags = { Project = "network" }
  }
}

variable "app_from" {
  default = "10.61.0.0/16"
}

data "aws_availability_zones" "available" {
  state = "available"
}

data "aws_ami" "linux" {
  most_recent = true
  owners      = ["amazon"]
  filter {
    name   = "name"
    values = ["al2023-ami-2023*-x86_64"]
  }
}

resource "aws_vpc" "main" {
  cidr_block                       = "10.60.0.0/16"
  assign_generated_ipv6_cidr_block = true
}

resource "aws_subnet" "all" {
  for_each          = { public-a = 0, public-b = 1, private-a = 10, private-b = 11 }
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, each.value)
  availability_zone = data.aws_availability_zones.available.names[each.value % 10]
  tags              = { Name = each.key }

  ipv6_cidr_block                 = cidrsubnet(aws_vpc.main.ipv6_cidr_block, 8, each.value)
  assign_ipv6_address_on_creation = each.key == "private-b"
  enable_dns64                    = startswith(each.key, "private")
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_eip" "nat" {
  domain     = "vpc"
  depends_on = [aws_internet_gateway.main]
}

resource "aws_nat_gateway" "main" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.all["public-a"].id
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route" "out" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main.id
}

resource "aws_route" "nat64" {
  route_table_id              = aws_route_table.private.id
  destination_ipv6_cidr_block = "64:ff9b::/96"
  nat_gateway_id              = aws_nat_gateway.main.id
}

resource "aws_route" "to_far" {
  route_table_id            = aws_route_table.private.id
  destination_cidr_block    = aws_vpc.far.cidr_block
  vpc_peering_connection_id = aws_vpc_peering_connection.far.id
}

resource "aws_route_table_association" "all" {
  for_each       = aws_subnet.all
  subnet_id      = each.value.id
  route_table_id = startswith(each.key, "public") ? aws_route_table.public.id : aws_route_table.private.id
}

resource "aws_cloudwatch_log_group" "flow" {
  name              = "/terraform/flow"
  retention_in_days = 7
  tags              = { made = "by terraform" }
}
resource "aws_iam_role" "flow" {
  name = "terraform-flow"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "vpc-flow-logs.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}
resource "aws_iam_role_policy" "flow" {
  role = aws_iam_role.flow.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "\${aws_cloudwatch_log_group.flow.arn}:*" }]
  })
}
resource "aws_flow_log" "main" {
  vpc_id                   = aws_vpc.main.id
  traffic_type             = "ALL"
  iam_role_arn             = aws_iam_role.flow.arn
  log_destination          = aws_cloudwatch_log_group.flow.arn
  max_aggregation_interval = 60
  tags                     = { made = "by terraform" }
}
resource "aws_s3_bucket" "flow" {
  bucket        = "terraform-flow-logs"
  force_destroy = true
}
resource "aws_flow_log" "rejected" {
  vpc_id               = aws_vpc.main.id
  traffic_type         = "REJECT"
  log_destination_type = "s3"
  log_destination      = aws_s3_bucket.flow.arn
  log_format           = "$\${version} $\${interface-id} $\${srcaddr} $\${dstaddr} $\${action}"
  destination_options {
    file_format        = "plain-text"
    per_hour_partition = true
  }
}
resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.main.id
  service_name    = "com.amazonaws.us-east-1.s3"
  route_table_ids = [aws_route_table.private.id]
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:*", Resource = "*" }]
  })
}

resource "aws_default_security_group" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_default_network_acl" "main" {
  default_network_acl_id = aws_vpc.main.default_network_acl_id
  subnet_ids             = [for subnet in aws_subnet.all : subnet.id]
  ingress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  ingress {
    rule_no         = 101
    action          = "allow"
    protocol        = "-1"
    ipv6_cidr_block = "::/0"
    from_port       = 0
    to_port         = 0
  }
  egress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  egress {
    rule_no         = 101
    action          = "allow"
    protocol        = "-1"
    ipv6_cidr_block = "::/0"
    from_port       = 0
    to_port         = 0
  }
}

resource "aws_security_group" "web" {
  name_prefix = "web-"
  vpc_id      = aws_vpc.main.id
  ingress {
    protocol    = "tcp"
    from_port   = 8080
    to_port     = 8080
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "app" {
  name   = "app"
  vpc_id = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "app" {
  security_group_id = aws_security_group.app.id
  cidr_ipv4         = var.app_from
  ip_protocol       = "tcp"
  from_port         = 8080
  to_port           = 8080
}

resource "aws_vpc_security_group_egress_rule" "app" {
  security_group_id = aws_security_group.app.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "app_by_nat64" {
  security_group_id = aws_security_group.app.id
  cidr_ipv6         = "64:ff9b::/96"
  ip_protocol       = "-1"
}

resource "aws_vpc" "far" {
  cidr_block = "10.61.0.0/16"
}

resource "aws_subnet" "far" {
  vpc_id     = aws_vpc.far.id
  cidr_block = "10.61.0.0/24"
}

resource "aws_internet_gateway" "far" {
  vpc_id = aws_vpc.far.id
}

resource "aws_vpc_peering_connection" "far" {
  vpc_id      = aws_vpc.main.id
  peer_vpc_id = aws_vpc.far.id
  auto_accept = true
}

resource "aws_default_route_table" "far" {
  default_route_table_id = aws_vpc.far.default_route_table_id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.far.id
  }
  route {
    cidr_block                = aws_vpc.main.cidr_block
    vpc_peering_connection_id = aws_vpc_peering_connection.far.id
  }
}

resource "aws_default_security_group" "far" {
  vpc_id = aws_vpc.far.id
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

locals {
  instances = {
    web = { subnet = aws_subnet.all["public-b"].id, group = aws_security_group.web.id, public = true }
    app = { subnet = aws_subnet.all["private-b"].id, group = aws_security_group.app.id, public = false }
    far = { subnet = aws_subnet.far.id, group = aws_default_security_group.far.id, public = true }
  }
}

resource "aws_instance" "all" {
  for_each                    = local.instances
  ami                         = data.aws_ami.linux.id
  instance_type               = "t3.micro"
  subnet_id                   = each.value.subnet
  vpc_security_group_ids      = [each.value.group]
  associate_public_ip_address = each.value.public
  user_data                   = "#!/bin/sh\\necho built by Terraform > /etc/motd\\n"
  tags                        = { Name = each.key }
  metadata_options {
    http_tokens = "required"
  }
  root_block_device {
    volume_size = 12
    encrypted   = true
  }
  credit_specification {
    cpu_credits = "standard"
  }
  maintenance_options {
    auto_recovery = "disabled"
  }
}

output "ids" {
  value = { for name, one in aws_instance.all : name => one.id }
}

output "addresses" {
  value = {
    web         = aws_instance.all["web"].public_ip
    web_private = aws_instance.all["web"].private_ip
    app         = aws_instance.all["app"].private_ip
    nat         = aws_eip.nat.public_ip
  }
}
`;

let own: Own;
let terraform: Terraform;
let ids: Record<string, string>;
let addresses: Record<string, string>;

/** Asserts which of the addresses’ web servers the instance in the peer VPC gets an answer from; patient with those that must answer. */
async function assertFromFar(expected: Readonly<Record<string, boolean>>): Promise<void> {
  const scripts = Object.entries(expected).map(([name, answers]) => [
    name,
    `curl -sf -m ${answers ? patient : 3} http://${addresses[name]}:8080/`,
  ]);
  assert.deepEqual(await attempt(own.directory, ids['far'] ?? '', Object.fromEntries(scripts)), expected);
}

before(async () => {
  if (skip) return;
  own = await bringUp();
  terraform = new Terraform(own, configuration);
  await terraform.init();
});

after(async () => {
  terraform?.end();
  await own?.end();
});

test('Terraform builds the network, and finds nothing to change in it', { skip }, async () => {
  await terraform.apply();
  assert.equal(await terraform.drift(), '');
  const outputs = await terraform.outputs();
  ids = outputs['ids'] as Record<string, string>;
  addresses = outputs['addresses'] as Record<string, string>;
});

test('packets go where the configuration lets them', { skip }, async () => {
  await postern(own.directory, 'wait');
  for (const name of ['web', 'app']) await inside(own.directory, ids[name] ?? '', webServer);
  // The web server by the internet, for no route leads to its subnet through the peering; the application through the peering alone.
  await assertFromFar({ web: true, web_private: false, app: true });
  // By IPv4: DNS64 would have curl take the NAT gateway's road to S3, and no route of that one's subnet leads to the endpoint.
  const probe =
    'curl -s -m 15 http://198.51.100.7/; cat /etc/motd; curl -4 -s -m 15 http://s3.us-east-1.amazonaws.com/';
  const { out } = await inside(own.directory, ids['app'] ?? '', probe);
  assert.ok(out.includes(addresses['nat'] ?? 'none'), out);
  assert.match(out, /built by Terraform/);
  assert.match(out, /AccessDenied/);
  const { out: asked } = await postern(own.directory, 'requests', '--json', '-n', '1');
  assert.equal(JSON.parse(asked).path.kind, 'endpoint', asked);
  // DNS64 gives the name an IPv6 address, and the NAT gateway leads there from its own.
  const { out: by64 } = await inside(own.directory, ids['app'] ?? '', `curl -6 -sS -m ${patient} http://github.com/`);
  assert.ok(by64.includes('github.com') && by64.includes(addresses['nat'] ?? 'none'), by64);
});

test('what passed is in the log group of the flow log', { skip }, async () => {
  assert.match((await postern(own.directory, 'flow-logs')).out, /in their destinations/);
  const { AWS_ENDPOINT_URL: endpoint = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = own.environment;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const logs = new CloudWatchLogs({ endpoint, region: 'us-east-1', credentials });
  const pattern = `[v, a, eni, src, dst=${addresses['web_private'] ?? '*'}, sp, dp, p=6, n, b, s, e, action=ACCEPT, status]`;
  const { events = [] } = await logs.filterLogEvents({ logGroupName: '/terraform/flow', filterPattern: pattern });
  assert.ok(events.length > 0);
});

test('a rule that Terraform changes is felt by the next packet', { skip }, async () => {
  assert.match(await terraform.apply('-var', 'app_from=10.99.0.0/16'), /0 added, 1 changed, 0 destroyed/);
  await postern(own.directory, 'wait');
  await assertFromFar({ web: true, app: false });
});

test('Terraform takes everything away', { skip }, async () => {
  await terraform.destroy();
  assert.deepEqual(await terraform.resources(), []);
  const { out } = await postern(own.directory, 'status', '--json');
  const { vpcs, peerings, instances } = JSON.parse(out) as Record<string, unknown>;
  // The default VPC, and the instances that AWS shows as terminated for an hour.
  assert.deepEqual({ vpcs, peerings, instances }, { vpcs: 1, peerings: 0, instances: { running: 0, total: 3 } });
});
