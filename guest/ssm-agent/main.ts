// Systems Manager's agent, as it runs inside an instance. Init (init.pl) starts it when the instance has a role and packets get to the service's port, and
// again a while after it has ended: so an instance that cannot be managed holds no such process. It speaks AWS's own protocol (Q2, the MGS wire protocol)
// and knows nothing of Postern. What it did and why it could not is in /var/log/amazon/ssm/amazon-ssm-agent.log.
// Exit status: 0 it was connected, 1 it never was. Gaps: inventory, associations, patches, packages, ec2messages.

import { ControlChannel } from './control-channel.ts';
import { type Identity, readIdentity } from './instance.ts';
import { log } from './log.ts';
import { CommandRunner } from './run-command.ts';
import { callService } from './service.ts';
import { Sessions } from './sessions.ts';

const healthEveryMs = 5 * 60_000;
const retryMs = 2000;
/** So often in a row in vain: init looks whether there is a way at all. */
const triesWithoutChannel = 3;

/** An "empty ping" (Q2): it registers the node. */
async function ping(identity: Identity): Promise<void> {
  await callService(identity, 'ssm', 'AmazonSSM.UpdateInstanceInformation', {
    InstanceId: identity.instanceId,
    AgentName: 'amazon-ssm-agent',
    AgentVersion: identity.agentVersion,
    AgentStatus: 'Active',
    PlatformType: 'Linux',
    PlatformName: identity.platformName,
    PlatformVersion: identity.platformVersion,
    IPAddress: identity.ipAddress,
    ComputerName: identity.computerName,
    AvailabilityZone: identity.availabilityZone,
    SSMConnectionChannel: 'ssmmessages',
  });
}

async function run(): Promise<number> {
  const identity = await readIdentity();
  await ping(identity);
  log(`registered ${identity.instanceId} in ${identity.region}`);
  setInterval(() => {
    ping(identity).catch((error: Error) => log(`health ping: ${error.message}`));
  }, healthEveryMs).unref();
  const commands = new CommandRunner(identity);
  const sessions = new Sessions(identity);
  const channel = new ControlChannel(identity, { job: commands, session: sessions });
  commands.reply = (message) => channel.send(message);
  sessions.reply = commands.reply;
  let wasOpen = false;
  for (let tries = 0; tries < triesWithoutChannel || commands.isBusy || sessions.isBusy; ) {
    try {
      await channel.open();
      log('the control channel is open');
      wasOpen = true;
      tries = 0;
      commands.resend();
      log(`the control channel is closed: ${await channel.closed()}`);
    } catch (error) {
      log(`the control channel: ${(error as Error).message}`);
      tries += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
  return wasOpen ? 0 : 1;
}

run().then(
  (status) => process.exit(status),
  (error: Error) => {
    log(error.message);
    process.exit(1);
  },
);
