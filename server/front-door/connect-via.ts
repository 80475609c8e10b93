// Why can't an instance connect endpoint reach an instance's port? The walk finds every obstacle; here each is a sentence with the command that mends it.
// Pure over the Snapshot; it explains and decides nothing (J4).

import { addressPlan } from '@postern/network/addresses.ts';
import type { InstanceConnectEndpoint, InstanceConnectEndpointId, Snapshot, Vpc } from '@postern/network/snapshot.ts';
import { protocols } from '@postern/network/walk/packet.ts';
import type { Step } from '@postern/network/walk/trace.ts';
import { walk } from '@postern/network/walk/walk.ts';
import { type ConnectDiagnosis, type ConnectFinding, type ConnectQuestion, groupFinding } from './connect-diagnosis.ts';

/** Of the client's side; which one it is changes no answer but an ACL's. */
const clientPort = 40_000;

/** The endpoint of the VPC that an instance is in; in the instance's own subnet first, as the AWS CLI chooses. */
export function endpointFor(snapshot: Snapshot, instanceId: string): InstanceConnectEndpoint | undefined {
  for (const vpc of snapshot.vpcs) {
    const own = vpc.networkInterfaces.find(
      (eni) => eni.attachment?.instanceId === instanceId && eni.attachment.deviceIndex === 0,
    );
    if (own) return vpc.instanceConnectEndpoints[0];
  }
  return undefined;
}

/** Finds everything that keeps the endpoint from the port of the instance's primary address. */
export function diagnoseVia(
  snapshot: Snapshot,
  question: ConnectQuestion,
  endpointId: InstanceConnectEndpointId,
): ConnectDiagnosis {
  const { instanceId, port, state, region } = question;
  const home = snapshot.vpcs.find((vpc) => endpointOf(vpc, endpointId));
  const endpoint = home && endpointOf(home, endpointId);
  const door = home?.networkInterfaces.find((eni) => eni.networkInterfaceId === endpoint?.networkInterfaceId);
  const source = door?.privateAddresses[0]?.address;
  const target = snapshot.vpcs
    .flatMap((vpc) => vpc.networkInterfaces)
    .find((eni) => eni.attachment?.instanceId === instanceId && eni.attachment.deviceIndex === 0);
  const privateIp = target?.privateAddresses[0]?.address;
  if (!home || !door || source === undefined)
    return {
      findings: [
        {
          problem: `There is no instance connect endpoint ${endpointId}.`,
          cure: 'aws ec2 describe-instance-connect-endpoints',
        },
      ],
    };
  if (!target || privateIp === undefined) {
    const cure = `aws ec2 start-instances${region ? ` --region ${region}` : ''} --instance-ids ${instanceId}`;
    return { findings: [{ problem: `${instanceId} is ${state ?? 'not running'}.`, cure }] };
  }
  const trace = walk(snapshot, {
    from: { kind: 'network-interface', networkInterfaceId: door.networkInterfaceId },
    packet: {
      protocol: protocols.tcp,
      source,
      destination: privateIp,
      sourcePort: clientPort,
      destinationPort: port,
    },
  });
  const words = { port, source, privateIp, group: door.groupIds[0], region: `--region ${home.region}` };
  if (endpoint?.preserveClientIp !== true)
    return { privateIp, findings: trace.blockers.map((step) => findingOf(step, words)) };
  // The instance sees the client's address: its groups are asked about that one.
  const others = trace.blockers.filter((step) => step.stage !== 'sg-ingress').map((step) => findingOf(step, words));
  const client = groupFinding(snapshot, home, target, port, question.sourceIp ?? addressPlan.laptop, words.region);
  return { privateIp, findings: client ? [...others, client] : others };
}

function endpointOf(vpc: Vpc, id: string): InstanceConnectEndpoint | undefined {
  return vpc.instanceConnectEndpoints.find((each) => each.instanceConnectEndpointId === id);
}

interface Words {
  readonly port: number;
  readonly source: string;
  readonly privateIp: string;
  /** The endpoint's first group. */
  readonly group: string | undefined;
  readonly region: string;
}

function findingOf(step: Step, { port, source, privateIp, group, region }: Words): ConnectFinding {
  const { cause } = step;
  if (cause.kind === 'security-groups') {
    const names = cause.groupIds.join(', ');
    const [own] = cause.groupIds;
    const inward = step.stage === 'sg-ingress';
    const peer = inward && group ? `--source-group ${group}` : `--cidr ${inward ? source : privateIp}/32`;
    const verb = `authorize-security-group-${inward ? 'ingress' : 'egress'}`;
    const rule = inward
      ? `--protocol tcp --port ${port} ${peer}`
      : `--ip-permissions IpProtocol=tcp,FromPort=${port},ToPort=${port},IpRanges=[{CidrIp=${privateIp}/32}]`;
    return {
      problem: inward
        ? `No rule of ${names} lets tcp port ${port} in from the endpoint, which is ${source}${group ? ` of ${group}` : ''}.`
        : `No rule of ${names}, the endpoint's, lets tcp port ${port} out to ${privateIp}.`,
      ...(own && { cure: `aws ec2 ${verb} ${region} --group-id ${own} ${rule}` }),
    };
  }
  const leg = step.leg === 'forward' ? 'the way there' : 'the way back';
  if (cause.kind === 'acl-entry')
    return {
      problem: `${cause.networkAclId}, a network ACL, denies ${leg} at ${step.stage} by rule ${cause.ruleNumber}.`,
    };
  return { problem: `${step.component} stops ${leg} at ${step.stage}.` };
}
