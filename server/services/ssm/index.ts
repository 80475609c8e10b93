// Systems Manager: nodes, Run Command, sessions, documents, public parameters. What an agent says by its channels comes in by the message gateway
// (server/message-gateway); how the agent runs is docs/decisions/0028.

import type { OpenChannels } from '../../open-channels.ts';
import type { Service } from '../../service.ts';
import { commandOperations } from './commands.ts';
import { documentOperations } from './documents.ts';
import { denied } from './errors.ts';
import { invocationOperations } from './invocations.ts';
import { managedInstanceOperations } from './managed-instances.ts';
import { parameterOperations } from './parameters.ts';
import { sessionOperations } from './sessions.ts';

/** @param channels who is connected */
export const createSsm = (channels: OpenChannels): Service => ({
  name: 'ssm',
  operations: {
    ...managedInstanceOperations(channels),
    ...commandOperations(channels),
    ...invocationOperations,
    ...sessionOperations(channels),
    ...documentOperations,
    ...parameterOperations,
  },
  denied,
});
