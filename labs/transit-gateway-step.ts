// G9, without its VPN: a transit gateway joins VPCs. Propagated routes, a blackhole, tables that keep the spokes apart, and the hub's NAT gateway for all of them.

import {
  end,
  everywhere,
  type Launched,
  launch,
  type Made,
  network,
  ping,
  publicly,
  reaches,
  subnet,
} from './networks.ts';
import { type Lab, type LabRun, mustWork, why } from './steps.ts';

/** A host of the sealed internet that answers ping. */
const outside = '198.51.100.7';
const zone = ['--availability-zone', 'us-east-1a'];

interface Site extends Made {
  readonly subnetId: string;
  readonly machine: Launched;
}

/** A VPC with an instance in its only subnet. */
async function site(lab: LabRun, cidr: string, ...options: readonly string[]): Promise<Site> {
  const made = await network(lab, cidr);
  const subnetId = await subnet(lab, made.vpc, cidr.replace('/16', '/24'), ...zone);
  return { ...made, subnetId, machine: await launch(lab, subnetId, made.group, ...options) };
}

export const transitGatewayStep: Lab['steps'][number] = {
  id: 'G9',
  title: 'a transit gateway: attachments, propagation, blackholes, tables of its own, egress by one hub',
  run: async (lab) => {
    const { laptop } = lab;
    const [hub, one, other] = [
      await site(lab, '10.90.0.0/16', publicly),
      await site(lab, '10.91.0.0/16'),
      await site(lab, '10.92.0.0/16'),
    ];
    const gateway = (await laptop.aws`ec2 create-transit-gateway`).TransitGateway;
    const id: string = gateway.TransitGatewayId;
    const attach = async ({ vpc }: Made, subnetId: string): Promise<string> => {
      const options = ['--transit-gateway-id', id, '--vpc-id', vpc, '--subnet-ids', subnetId];
      const made = await laptop.aws`ec2 create-transit-gateway-vpc-attachment ${options}`;
      return made.TransitGatewayVpcAttachment.TransitGatewayAttachmentId;
    };
    const route = async ({ table }: Made, destination: readonly string[]) => {
      await laptop.aws`ec2 create-route --route-table-id ${table} ${destination} --transit-gateway-id ${id}`;
      await laptop.settle();
    };
    const crossing = () => ping(lab, one.machine.id, other.machine.privateIp);
    const unattached = await laptop.refused(
      'InvalidTransitGatewayID.NotFound',
    )`ec2 create-route --route-table-id ${one.table} ${everywhere} --transit-gateway-id ${id}`;
    // The hub's attachment has a subnet of its own, whose route table decides on what comes out of the gateway.
    const door = await subnet(lab, hub.vpc, '10.90.9.0/28', ...zone);
    const toHub = await attach(hub, door);
    const [toOne, toOther] = [await attach(one, one.subnetId), await attach(other, other.subnetId)];
    await route(one, everywhere);
    const evidence = [why(unattached), await reaches('a route on one side', crossing(), 'timeout')];
    await route(other, everywhere);
    evidence.push(await reaches('routes on both sides, blocks propagated', crossing(), 'open'));
    const tableId: string = (await laptop.aws`ec2 describe-transit-gateways --transit-gateway-ids ${id}`)
      .TransitGateways[0].Options.AssociationDefaultRouteTableId;
    const block = ['--destination-cidr-block', '10.92.0.0/16'];
    await laptop.aws`ec2 create-transit-gateway-route --transit-gateway-route-table-id ${tableId} ${block} --blackhole`;
    await laptop.settle();
    evidence.push(await reaches('a static blackhole before the propagated route', crossing(), 'timeout'));
    await laptop.aws`ec2 delete-transit-gateway-route --transit-gateway-route-table-id ${tableId} ${block}`;
    // Spokes in a table that knows the hub alone.
    const made = await laptop.aws`ec2 create-transit-gateway-route-table --transit-gateway-id ${id}`;
    const spokes: string = made.TransitGatewayRouteTable.TransitGatewayRouteTableId;
    for (const attachment of [toOne, toOther]) {
      await laptop.aws`ec2 disassociate-transit-gateway-route-table --transit-gateway-route-table-id ${tableId} --transit-gateway-attachment-id ${attachment}`;
      await laptop.aws`ec2 associate-transit-gateway-route-table --transit-gateway-route-table-id ${spokes} --transit-gateway-attachment-id ${attachment}`;
    }
    await laptop.aws`ec2 create-transit-gateway-route --transit-gateway-route-table-id ${spokes} ${everywhere} --transit-gateway-attachment-id ${toHub}`;
    await route(hub, ['--destination-cidr-block', '10.0.0.0/8']);
    await laptop.aws`ec2 create-route --route-table-id ${hub.table} ${everywhere} --gateway-id ${hub.gateway}`;
    await laptop.settle();
    const doorTable: string = (await laptop.aws`ec2 create-route-table --vpc-id ${hub.vpc}`).RouteTable.RouteTableId;
    await laptop.aws`ec2 associate-route-table --route-table-id ${doorTable} --subnet-id ${door}`;
    await laptop.settle();
    evidence.push(
      await reaches('a spoke to the hub', ping(lab, one.machine.id, hub.machine.privateIp), 'open'),
      await reaches(
        'a spoke to the internet by the hub’s gateway alone',
        ping(lab, one.machine.id, outside),
        'timeout',
      ),
    );
    const address = await laptop.aws`ec2 allocate-address --domain vpc`;
    const nat: string = (
      await laptop.aws`ec2 create-nat-gateway --subnet-id ${hub.subnetId} --allocation-id ${address.AllocationId}`
    ).NatGateway.NatGatewayId;
    await laptop.settle();
    await laptop.aws`ec2 wait nat-gateway-available --nat-gateway-ids ${nat}`;
    await laptop.aws`ec2 create-route --route-table-id ${doorTable} ${everywhere} --nat-gateway-id ${nat}`;
    await laptop.settle();
    evidence.push(
      await reaches('by the hub’s NAT gateway', ping(lab, one.machine.id, outside), 'open'),
      await reaches('from spoke to spoke, by the NAT gateway and back', crossing(), 'open'),
    );
    // https://docs.aws.amazon.com/whitepapers/latest/building-scalable-secure-multi-vpc-network-infrastructure/centralized-egress-to-internet.html (read 2026-11-22)
    await laptop.aws`ec2 create-transit-gateway-route --transit-gateway-route-table-id ${spokes} ${block} --blackhole`;
    await laptop.settle();
    evidence.push(await reaches('from spoke to spoke, with a blackhole', crossing(), 'timeout'));
    const seen = await laptop.inside(other.machine.id, 'curl -sS -m 20 http://checkip.amazonaws.com/');
    evidence.push(`seen outside as ${mustWork(seen, 'the internet')}, the hub’s ${address.PublicIp}`);
    evidence.push(why(await laptop.refused('IncorrectState')`ec2 delete-transit-gateway --transit-gateway-id ${id}`));
    await end(lab, hub.machine, one.machine, other.machine);
    await laptop.aws`ec2 delete-nat-gateway --nat-gateway-id ${nat}`;
    for (const attachment of [toHub, toOne, toOther])
      await laptop.aws`ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id ${attachment}`;
    await laptop.aws`ec2 delete-transit-gateway --transit-gateway-id ${id}`;
    return evidence;
  },
};
