// Loaded into the server of a soak: SIGUSR2 makes it collect all garbage, so that what is measured then is what it keeps.

import { isMainThread } from 'node:worker_threads';

if (isMainThread) process.on('SIGUSR2', () => globalThis.gc());
