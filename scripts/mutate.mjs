// Loaded before everything else (`--import`): breaks one source file as it is read, so that no file on disk changes. POSTERN_MUTATION is `{ file, from, to }`.
import { register } from 'node:module';

register('./mutate-hooks.mjs', import.meta.url, { data: process.env.POSTERN_MUTATION });
