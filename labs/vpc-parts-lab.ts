// Lab G: a VPC from its parts, G1 to G9 and G12 to G14, each with packets. Every step has VPCs of its own and removes what runs, so that one can be read alone.

import type { Ran } from './aws-cli.ts';
import { flowLogsStep } from './flow-logs-step.ts';
import { expect } from './lab.ts';
import {
  described,
  end,
  everywhere,
  type Launched,
  launch,
  type Made,
  network,
  newGroup,
  ping,
  publicly,
  reaches,
  ssh,
  subnet,
} from './networks.ts';
import { reachabilityStep } from './reachability-step.ts';
import { image, type Lab, type LabRun, mustWork, why } from './steps.ts';
import { transitGatewayStep } from './transit-gateway-step.ts';
import { whyStep } from './why-step.ts';

/** Hosts of the sealed internet that answer ping. */
const [outside, otherOutside] = ['198.51.100.7', '203.0.113.99'];

const steps: Lab['steps'] = [
  {
    id: 'G1',
    title: 'the address plan: sizes, overlaps, five reserved addresses',
    run: async (lab) => {
      const { laptop } = lab;
      const evidence: string[] = [];
      for (const cidr of ['10.0.0.0/15', '10.0.0.0/29'])
        evidence.push(why(await laptop.refused('InvalidVpc.Range')`ec2 create-vpc --cidr-block ${cidr}`));
      const vpc = (await laptop.aws`ec2 create-vpc --cidr-block 10.10.0.0/16`).Vpc.VpcId;
      const made24 = (await laptop.aws`ec2 create-subnet --vpc-id ${vpc} --cidr-block 10.10.1.0/24`).Subnet;
      expect(
        made24.AvailableIpAddressCount === 251,
        '251 free addresses in a /24',
        String(made24.AvailableIpAddressCount),
      );
      evidence.push(
        why(
          await laptop.refused('InvalidSubnet.Conflict')`ec2 create-subnet --vpc-id ${vpc} --cidr-block 10.10.1.128/25`,
        ),
        why(await laptop.refused('InvalidSubnet.Range')`ec2 create-subnet --vpc-id ${vpc} --cidr-block 10.11.0.0/24`),
      );
      const small = await subnet(lab, vpc, '10.10.3.0/28');
      for (const last of ['0', '1', '2', '3', '15'])
        await laptop.refused(
          'InvalidParameterValue',
        )`ec2 run-instances ${image} --subnet-id ${small} --private-ip-address ${`10.10.3.${last}`}`;
      return [...evidence, '251 free in a /24; the first four and the last address of a subnet are nobody’s'];
    },
  },
  {
    id: 'G2',
    title: 'an internet gateway: detached, attached once, and of use only with a route and a public address',
    run: async (lab) => {
      const { laptop } = lab;
      const gateway = (await laptop.aws`ec2 create-internet-gateway`).InternetGateway;
      expect(gateway.Attachments.length === 0, 'no attachment', JSON.stringify(gateway));
      const { vpc, group, table, gateway: attached } = await network(lab, '10.20.0.0/16');
      const second = why(
        await laptop.refused(
          'Resource.AlreadyAssociated',
        )`ec2 attach-internet-gateway --internet-gateway-id ${attached} --vpc-id ${vpc}`,
      );
      const subnetId = await subnet(lab, vpc, '10.20.0.0/24');
      const [known, unknown] = [await launch(lab, subnetId, group, publicly), await launch(lab, subnetId, group)];
      const without = await reaches('without a route', ping(lab, known.id, outside), 'timeout');
      await laptop.aws`ec2 create-route --route-table-id ${table} ${everywhere} --gateway-id ${attached}`;
      await laptop.settle();
      const evidence = [
        await reaches('with a route and a public address', ping(lab, known.id, outside), 'open'),
        await reaches('with a route and no public address', ping(lab, unknown.id, outside), 'timeout'),
        why(
          await laptop.refused(
            'DependencyViolation',
          )`ec2 detach-internet-gateway --internet-gateway-id ${attached} --vpc-id ${vpc}`,
        ),
      ];
      await end(lab, known, unknown);
      return [second, without, ...evidence];
    },
  },
  {
    id: 'G3',
    title: 'main and custom route tables; longest prefix; a blackhole drops',
    run: async (lab) => {
      const { laptop } = lab;
      const { vpc, group, gateway } = await network(lab, '10.30.0.0/16');
      const [a, b] = [await subnet(lab, vpc, '10.30.0.0/24'), await subnet(lab, vpc, '10.30.1.0/24')];
      const [inA, inB, target] = [
        await launch(lab, a, group, publicly),
        await launch(lab, b, group, publicly),
        await launch(lab, b, group),
      ];
      const custom = (await laptop.aws`ec2 create-route-table --vpc-id ${vpc}`).RouteTable.RouteTableId;
      await laptop.aws`ec2 create-route --route-table-id ${custom} ${everywhere} --gateway-id ${gateway}`;
      await laptop.aws`ec2 associate-route-table --route-table-id ${custom} --subnet-id ${a}`;
      await laptop.settle();
      const evidence = [
        await reaches('the subnet of the custom table', ping(lab, inA.id, outside), 'open'),
        await reaches('the subnet of the main table', ping(lab, inB.id, outside), 'timeout'),
      ];
      await laptop.aws`ec2 create-route --route-table-id ${custom} --destination-cidr-block 198.51.100.0/24 --network-interface-id ${target.eni}`;
      await laptop.aws`ec2 terminate-instances --instance-ids ${target.id}`;
      await laptop.settle();
      const routes = (await laptop.aws`ec2 describe-route-tables --route-table-ids ${custom}`).RouteTables[0].Routes;
      const dead = routes.find(
        (one: { DestinationCidrBlock?: string }) => one.DestinationCidrBlock === '198.51.100.0/24',
      );
      expect(dead.State === 'blackhole', 'a blackhole', JSON.stringify(dead));
      evidence.push(
        await reaches('by the longer prefix, a blackhole', ping(lab, inA.id, outside), 'timeout'),
        await reaches('by the shorter one', ping(lab, inA.id, otherOutside), 'open'),
      );
      await end(lab, inA, inB);
      return evidence;
    },
  },
  {
    id: 'G4',
    title: 'an auto-assigned address changes over stop and start, an Elastic IP stays',
    run: async (lab) => {
      const { laptop } = lab;
      const { vpc, group, gateway, table } = await network(lab, '10.40.0.0/16');
      await laptop.aws`ec2 create-route --route-table-id ${table} ${everywhere} --gateway-id ${gateway}`;
      const subnetId = await subnet(lab, vpc, '10.40.0.0/24');
      await laptop.aws`ec2 modify-subnet-attribute --subnet-id ${subnetId} --map-public-ip-on-launch`;
      const [one, other] = [await launch(lab, subnetId, group), await launch(lab, subnetId, group)];
      const again = await stopAndStart(lab, one);
      expect(
        again.publicIp !== one.publicIp && again.privateIp === one.privateIp,
        'another public and the same private address',
        JSON.stringify(again),
      );
      const address = await laptop.aws`ec2 allocate-address --domain vpc`;
      await laptop.aws`ec2 associate-address --allocation-id ${address.AllocationId} --instance-id ${one.id}`;
      const elastic = await stopAndStart(lab, one);
      expect(elastic.publicIp === address.PublicIp, `still ${address.PublicIp}`, String(elastic.publicIp));
      const open = await reaches(`ssh to ${address.PublicIp}`, ssh(lab, other.id, address.PublicIp), 'open');
      await end(lab, one, other);
      return [`${one.publicIp} became ${again.publicIp}; ${address.PublicIp} stayed`, open];
    },
  },
  {
    id: 'G5',
    title: 'security groups: stateful, and a reference follows membership at once',
    run: async (lab) => {
      const { laptop } = lab;
      const { vpc } = await network(lab, '10.50.0.0/16');
      const subnetId = await subnet(lab, vpc, '10.50.0.0/24');
      const [web, client, bystander] = [
        await newGroup(laptop, vpc, 'web'),
        await newGroup(laptop, vpc, 'client'),
        await newGroup(laptop, vpc, 'bystander'),
      ];
      await laptop.aws`ec2 authorize-security-group-ingress --group-id ${web} --protocol tcp --port 22 --source-group ${client}`;
      const [server, caller] = [await launch(lab, subnetId, web), await launch(lab, subnetId, bystander)];
      const evidence = [await reaches('no member', ssh(lab, caller.id, server.privateIp), 'timeout')];
      await laptop.aws`ec2 modify-instance-attribute --instance-id ${caller.id} --groups ${[bystander, client]}`;
      await laptop.settle();
      evidence.push(
        await reaches('a member; its reply needs no rule', ssh(lab, caller.id, server.privateIp), 'open'),
        await reaches('the other way round', ssh(lab, server.id, caller.privateIp), 'timeout'),
      );
      await laptop.aws`ec2 modify-instance-attribute --instance-id ${caller.id} --groups ${bystander}`;
      await laptop.settle();
      evidence.push(await reaches('no longer a member', ssh(lab, caller.id, server.privateIp), 'timeout'));
      await end(lab, server, caller);
      return evidence;
    },
  },
  {
    id: 'G6',
    title: 'network ACLs: ordered, stateless, blind inside a subnet',
    run: async (lab) => {
      const { laptop } = lab;
      const { vpc, group } = await network(lab, '10.60.0.0/16');
      const [a, b] = [await subnet(lab, vpc, '10.60.0.0/24'), await subnet(lab, vpc, '10.60.1.0/24')];
      const [server, neighbour, caller] = [
        await launch(lab, a, group),
        await launch(lab, a, group),
        await launch(lab, b, group),
      ];
      const acl = (await laptop.aws`ec2 create-network-acl --vpc-id ${vpc}`).NetworkAcl.NetworkAclId;
      const filter = ['--filters', `Name=association.subnet-id,Values=${a}`];
      const associations = (await laptop.aws`ec2 describe-network-acls ${filter}`).NetworkAcls[0].Associations;
      const before = associations.find((one: { SubnetId: string }) => one.SubnetId === a).NetworkAclAssociationId;
      await laptop.aws`ec2 replace-network-acl-association --association-id ${before} --network-acl-id ${acl}`;
      const entry = async (number: string, direction: string, action: string, ports: string) => {
        await laptop.aws`ec2 create-network-acl-entry --network-acl-id ${acl} --rule-number ${number} ${direction} --rule-action ${action} --protocol tcp --port-range ${ports} --cidr-block 10.60.1.0/24`;
        await laptop.settle();
      };
      await laptop.settle();
      const evidence = [
        await reaches('a new ACL', ssh(lab, caller.id, server.privateIp), 'timeout'),
        await reaches('inside the subnet', ssh(lab, neighbour.id, server.privateIp), 'open'),
      ];
      await entry('100', '--ingress', 'allow', 'From=22,To=22');
      evidence.push(await reaches('22 in, nothing out', ssh(lab, caller.id, server.privateIp), 'timeout'));
      await entry('100', '--egress', 'allow', 'From=1024,To=65535');
      evidence.push(await reaches('22 in, ephemeral ports out', ssh(lab, caller.id, server.privateIp), 'open'));
      await entry('90', '--ingress', 'deny', 'From=22,To=22');
      evidence.push(await reaches('a lower number denies', ssh(lab, caller.id, server.privateIp), 'timeout'));
      await end(lab, server, neighbour, caller);
      return evidence;
    },
  },
  {
    id: 'G7',
    title: 'NAT gateways, public and private: outbound only',
    run: async (lab) => {
      const { laptop } = lab;
      const { vpc, group, gateway } = await network(lab, '10.70.0.0/16');
      const [front, back] = [await subnet(lab, vpc, '10.70.0.0/24'), await subnet(lab, vpc, '10.70.1.0/24')];
      const frontTable = (await laptop.aws`ec2 create-route-table --vpc-id ${vpc}`).RouteTable.RouteTableId;
      await laptop.aws`ec2 associate-route-table --route-table-id ${frontTable} --subnet-id ${front}`;
      const backTable = (await laptop.aws`ec2 create-route-table --vpc-id ${vpc}`).RouteTable.RouteTableId;
      await laptop.aws`ec2 associate-route-table --route-table-id ${backTable} --subnet-id ${back}`;
      const address = await laptop.aws`ec2 allocate-address --domain vpc`;
      const nat = (
        await laptop.aws`ec2 create-nat-gateway --subnet-id ${front} --allocation-id ${address.AllocationId}`
      ).NatGateway.NatGatewayId;
      await laptop.settle();
      await laptop.aws`ec2 wait nat-gateway-available --nat-gateway-ids ${nat}`;
      await laptop.aws`ec2 create-route --route-table-id ${backTable} ${everywhere} --nat-gateway-id ${nat}`;
      const inner = await launch(lab, back, group);
      const evidence = [
        await reaches('a NAT gateway whose subnet has no internet route', ping(lab, inner.id, outside), 'timeout'),
      ];
      await laptop.aws`ec2 create-route --route-table-id ${frontTable} ${everywhere} --gateway-id ${gateway}`;
      await laptop.settle();
      evidence.push(await reaches('with the route', ping(lab, inner.id, outside), 'open'));
      const seen = mustWork(
        await lab.laptop.inside(inner.id, 'curl -sS -m 5 http://checkip.amazonaws.com/'),
        'the internet',
      );
      expect(seen === address.PublicIp, `to be seen as ${address.PublicIp}`, seen);
      const outer = await launch(lab, front, group, publicly);
      evidence.push(
        `seen outside as ${seen}`,
        await reaches('from outside to its Elastic IP', ssh(lab, outer.id, address.PublicIp), 'timeout'),
      );
      const alone = (await laptop.aws`ec2 create-nat-gateway --subnet-id ${front} --connectivity-type private`)
        .NatGateway.NatGatewayId;
      await laptop.settle();
      await laptop.aws`ec2 wait nat-gateway-available --nat-gateway-ids ${alone}`;
      await laptop.aws`ec2 replace-route --route-table-id ${backTable} ${everywhere} --nat-gateway-id ${alone}`;
      await laptop.settle();
      evidence.push(await reaches('by a private NAT gateway to the internet', ping(lab, inner.id, outside), 'timeout'));
      await end(lab, inner, outer);
      for (const one of [nat, alone]) await laptop.aws`ec2 delete-nat-gateway --nat-gateway-id ${one}`;
      return evidence;
    },
  },
  {
    id: 'G8',
    title: 'peering: routes on both sides, true addresses, no transit; cross-Region too',
    run: async (lab) => {
      const { laptop } = lab;
      const far = ['--region', 'eu-west-1'];
      const [a, b, c, d] = [
        await network(lab, '10.81.0.0/16'),
        await network(lab, '10.82.0.0/16'),
        await network(lab, '10.83.0.0/16'),
        await network(lab, '10.84.0.0/16', ...far),
      ];
      const inA = await launch(lab, await subnet(lab, a.vpc, '10.81.0.0/24'), a.group);
      const inB = await launch(lab, await subnet(lab, b.vpc, '10.82.0.0/24'), b.group);
      const inC = await launch(lab, await subnet(lab, c.vpc, '10.83.0.0/24'), c.group);
      const inD = await launch(lab, await subnet(lab, d.vpc, '10.84.0.0/24', ...far), d.group, ...far);
      const peer = async (from: Made, to: Made, options: readonly string[] = [], accept: readonly string[] = []) => {
        const id = (
          await laptop.aws`ec2 create-vpc-peering-connection --vpc-id ${from.vpc} --peer-vpc-id ${to.vpc} ${options}`
        ).VpcPeeringConnection.VpcPeeringConnectionId;
        await laptop.aws`ec2 accept-vpc-peering-connection --vpc-peering-connection-id ${id} ${accept}`;
        return id as string;
      };
      const route = async (from: Made, cidr: string, id: string, options: readonly string[] = []) => {
        await laptop.aws`ec2 create-route --route-table-id ${from.table} --destination-cidr-block ${cidr} --vpc-peering-connection-id ${id} ${options}`;
        await laptop.settle();
      };
      const ab = await peer(a, b);
      const evidence = [await reaches('peered, no routes', ping(lab, inA.id, inB.privateIp), 'timeout')];
      await route(a, '10.82.0.0/16', ab);
      evidence.push(await reaches('a route on one side', ping(lab, inA.id, inB.privateIp), 'timeout'));
      await route(b, '10.81.0.0/16', ab);
      evidence.push(await reaches('routes on both sides', ping(lab, inA.id, inB.privateIp), 'open'));
      const bc = await peer(b, c);
      await route(b, '10.83.0.0/16', bc);
      await route(c, '10.82.0.0/16', bc);
      await route(a, '10.83.0.0/16', ab);
      await route(c, '10.81.0.0/16', bc);
      evidence.push(
        await reaches('B to C', ping(lab, inB.id, inC.privateIp), 'open'),
        await reaches('A to C through B', ping(lab, inA.id, inC.privateIp), 'timeout'),
      );
      await laptop.aws`ec2 create-route --route-table-id ${b.table} ${everywhere} --gateway-id ${b.gateway}`;
      await laptop.aws`ec2 create-route --route-table-id ${a.table} ${everywhere} --vpc-peering-connection-id ${ab}`;
      await laptop.settle();
      evidence.push(await reaches('A to the internet by B’s gateway', ping(lab, inA.id, outside), 'timeout'));
      const ad = await peer(a, d, ['--peer-region', 'eu-west-1'], far);
      await route(a, '10.84.0.0/16', ad);
      await route(d, '10.81.0.0/16', ad, far);
      evidence.push(await reaches('A to D in eu-west-1', ping(lab, inA.id, inD.privateIp), 'open'));
      const twin = await network(lab, '10.81.0.0/16');
      const overlapping =
        await laptop.try`ec2 create-vpc-peering-connection --vpc-id ${a.vpc} --peer-vpc-id ${twin.vpc}`;
      const failed = await overlap(lab, overlapping);
      await laptop.aws`ec2 delete-vpc-peering-connection --vpc-peering-connection-id ${ab}`;
      await laptop.settle();
      evidence.push(failed, await reaches('after deletion', ping(lab, inA.id, inB.privateIp), 'timeout'));
      await end(lab, inA, inB, inC);
      await laptop.aws`ec2 terminate-instances --instance-ids ${inD.id} ${far}`;
      return evidence;
    },
  },
  transitGatewayStep,
  flowLogsStep,
  reachabilityStep,
  whyStep,
];

/** Overlapping blocks: the request is answered, and becomes `failed` (P3). */
async function overlap({ laptop }: LabRun, ran: Ran): Promise<string> {
  const id = JSON.parse(mustWork(ran, 'asking for it')).VpcPeeringConnection.VpcPeeringConnectionId;
  const seen = (await laptop.aws`ec2 describe-vpc-peering-connections --vpc-peering-connection-ids ${id}`)
    .VpcPeeringConnections[0].Status;
  expect(seen.Code === 'failed', 'overlapping blocks to fail', JSON.stringify(seen));
  return `overlapping blocks: ${seen.Code}, ${seen.Message}`;
}

async function stopAndStart(lab: LabRun, { id }: Launched): Promise<Launched> {
  const { laptop } = lab;
  await laptop.aws`ec2 stop-instances --instance-ids ${id}`;
  await laptop.settle();
  await laptop.aws`ec2 wait instance-stopped --instance-ids ${id}`;
  await laptop.aws`ec2 start-instances --instance-ids ${id}`;
  await laptop.settle();
  return described(lab, id);
}

export const vpcPartsLab: Lab = { id: 'g', title: 'a VPC from its parts', steps };
