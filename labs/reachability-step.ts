// G13: Reachability Analyzer says why a path does not work, and packets agree: before, after each cure, and after each new mistake.

import { expect } from './lab.ts';
import { end, launch, network, newGroup, reaches, ssh, subnet } from './networks.ts';
import type { Lab, LabRun } from './steps.ts';

interface Analysis {
  readonly NetworkPathFound: boolean;
  readonly ForwardPathComponents?: readonly { readonly Component: { readonly Id: string } }[];
  readonly Explanations?: readonly { readonly ExplanationCode: string; readonly Direction?: string }[];
}

/** Starts an analysis and waits for its end, as a person would. */
async function analyse({ laptop }: LabRun, path: string): Promise<Analysis> {
  const started = await laptop.aws`ec2 start-network-insights-analysis --network-insights-path-id ${path}`;
  const id: string = started.NetworkInsightsAnalysis.NetworkInsightsAnalysisId;
  for (;;) {
    const [found] = (await laptop.aws`ec2 describe-network-insights-analyses --network-insights-analysis-ids ${id}`)
      .NetworkInsightsAnalyses;
    if (found.Status === 'running') continue;
    expect(found.Status === 'succeeded', 'an analysis that succeeds', JSON.stringify(found));
    return found as Analysis;
  }
}

/** @param codes that must be told; none: the path works */
async function says(lab: LabRun, path: string, ...codes: readonly string[]): Promise<string> {
  const { NetworkPathFound: isFound, ForwardPathComponents: there, Explanations } = await analyse(lab, path);
  const seen = (Explanations ?? []).map((each) => each.ExplanationCode);
  expect(isFound === (codes.length === 0), codes.length === 0 ? 'a path' : 'no path', seen.join(', ') || 'a path');
  for (const code of codes) expect(seen.includes(code), code, seen.join(', '));
  return isFound ? `a path: ${there?.map((each) => each.Component.Id).join(' → ')}` : `no path: ${seen.join(', ')}`;
}

export const reachabilityStep: Lab['steps'][number] = {
  id: 'G13',
  title: 'reachability: a path that works, and why one does not',
  run: async (lab) => {
    const { laptop } = lab;
    const { vpc, group, gateway } = await network(lab, '10.130.0.0/16');
    const [a, b] = [await subnet(lab, vpc, '10.130.0.0/24'), await subnet(lab, vpc, '10.130.1.0/24')];
    const closed = await newGroup(laptop, vpc, 'closed');
    const [server, caller] = [await launch(lab, a, closed), await launch(lab, b, group)];
    const ends = ['--source', caller.id, '--destination', server.id];
    const path = (await laptop.aws`ec2 create-network-insights-path ${ends} --protocol tcp --destination-port 22`)
      .NetworkInsightsPath.NetworkInsightsPathId;
    const evidence = [
      await says(lab, path, 'SG_HAS_NO_RULES'),
      await reaches('ssh to a group without rules', ssh(lab, caller.id, server.privateIp), 'timeout'),
    ];
    await laptop.aws`ec2 authorize-security-group-ingress --group-id ${closed} --protocol tcp --port 22 --cidr 10.130.1.0/24`;
    await laptop.settle();
    evidence.push(
      await says(lab, path),
      await reaches('ssh with the rule', ssh(lab, caller.id, server.privateIp), 'open'),
    );
    const filter = ['--filters', `Name=association.subnet-id,Values=${a}`];
    const acl = (await laptop.aws`ec2 describe-network-acls ${filter}`).NetworkAcls[0].NetworkAclId;
    // To every port: while one is left, a client could have it, and there is a path.
    await laptop.aws`ec2 create-network-acl-entry --network-acl-id ${acl} --rule-number 90 --egress --rule-action deny --protocol tcp --port-range From=0,To=65535 --cidr-block 10.130.1.0/24`;
    await laptop.settle();
    evidence.push(
      await says(lab, path, 'SUBNET_ACL_RESTRICTION'),
      await reaches('ssh when the ACL lets no reply out', ssh(lab, caller.id, server.privateIp), 'timeout'),
    );
    const inward = ['--source', gateway, '--destination', server.id];
    const outside = (await laptop.aws`ec2 create-network-insights-path ${inward} --protocol tcp --destination-port 22`)
      .NetworkInsightsPath.NetworkInsightsPathId;
    evidence.push(
      await says(
        lab,
        outside,
        'IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS',
        'NO_ROUTE_TO_DESTINATION',
        'ENI_SG_RULES_MISMATCH',
      ),
    );
    await end(lab, server, caller);
    return evidence;
  },
};
