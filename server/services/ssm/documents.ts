// The documents that AWS owns and Postern serves: what they take and what an agent does with them. Nobody can make one of their own (docs/gaps.md).
// Names, parameters, patterns and schema versions: `aws ssm get-document`, as AWS's guides quote it; the descriptions are our own words.

import { createHash } from 'node:crypto';
import type {
  DescribeDocumentRequest,
  DescribeDocumentResult,
  DocumentDescription,
  DocumentType,
  GetDocumentRequest,
  GetDocumentResult,
  ListDocumentsRequest,
  ListDocumentsResult,
  PlatformType,
} from '@aws-sdk/client-ssm';
import { type BaseCall, type Call, operation, type Permission } from '../../service.ts';
import { invalidDocument, invalidDocumentVersion, invalidFilterKey, invalidParameters, pageOf } from './errors.ts';

export interface DocumentParameter {
  readonly type: 'String' | 'StringList';
  readonly description: string;
  readonly default?: string;
  readonly allowedPattern?: string;
}

export interface ServedDocument {
  readonly name: string;
  readonly description: string;
  readonly type: DocumentType;
  readonly schemaVersion: string;
  readonly platforms: readonly PlatformType[];
  /** The plugin that the results of a command are named by. */
  readonly plugin: string;
  readonly content: { readonly parameters: Readonly<Record<string, DocumentParameter>> } & Record<string, unknown>;
  /** Only its type of session reaches it, not Run Command. */
  readonly sessionType?: 'Standard_Stream' | 'InteractiveCommands';
}

const createdAt = new Date('2017-01-01T00:00:00Z');

/** A script's three parameters. */
const scriptParameters = (shell: string): Record<string, DocumentParameter> => ({
  commands: { type: 'StringList', description: `The ${shell} script, line by line.` },
  workingDirectory: { type: 'String', default: '', description: 'Where it runs.' },
  executionTimeout: {
    type: 'String',
    default: '3600',
    description: 'After so many seconds it is ended; at most 172800, which is 48 hours.',
    allowedPattern: '([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800)',
  },
});

function script(name: string, plugin: string, shell: string, platforms: readonly PlatformType[]): ServedDocument {
  const description = `Runs a ${shell} script.`;
  const properties = {
    id: `0.${plugin}`,
    runCommand: '{{ commands }}',
    workingDirectory: '{{ workingDirectory }}',
    timeoutSeconds: '{{ executionTimeout }}',
  };
  const content = {
    schemaVersion: '1.2',
    description,
    parameters: scriptParameters(shell),
    runtimeConfig: { [plugin]: { properties: [properties] } },
  };
  return { name, description, type: 'Command', schemaVersion: '1.2', platforms, plugin, content };
}

const documents: readonly ServedDocument[] = [
  script('AWS-RunPowerShellScript', 'aws:runPowerShellScript', 'PowerShell', ['Windows']),
  script('AWS-RunShellScript', 'aws:runShellScript', 'shell', ['Linux', 'MacOS']),
  session('AWS-StartInteractiveCommand', 'Starts a session in which one command runs.', 'InteractiveCommands', {
    command: { type: 'String', description: 'The command.' },
  }),
];

/** What a session without a document is; on AWS it is the account's own to change. */
export const defaultSession = session('SSM-SessionManagerRunShell', 'Starts a shell.', 'Standard_Stream', {});

function session(
  name: string,
  description: string,
  sessionType: NonNullable<ServedDocument['sessionType']>,
  parameters: Record<string, DocumentParameter>,
): ServedDocument {
  // What runs, by platform; a shell is the agent's own.
  const runs = { commands: '{{ command }}', runAsElevated: true };
  const properties = sessionType === 'InteractiveCommands' ? { windows: runs, macos: runs, linux: runs } : {};
  const content = { schemaVersion: '1.0', description, sessionType, parameters, properties };
  const platforms = ['Windows', 'Linux', 'MacOS'] as const;
  return { name, description, type: 'Session', schemaVersion: '1.0', platforms, plugin: '', content, sessionType };
}

export function documentNamed(given: string): ServedDocument | undefined {
  const name = given.replace(/^arn:[^:]*:ssm:[^:]*:[^:]*:document\//, '');
  return documents.find((one) => one.name === name);
}

/** Documents of AWS belong to no account. */
export const documentArn = (call: BaseCall, name: string): string =>
  name.startsWith('arn:') ? name : `arn:${call.partition}:ssm:${call.region}::document/${name}`;

/** @throws AwsError where the document or the version is not there */
export function documentFor(name: string, version?: string): ServedDocument {
  const found = documentNamed(name);
  if (!found) throw invalidDocument(`Document with name ${name} does not exist.`);
  if (version !== undefined && !['1', '$DEFAULT', '$LATEST'].includes(version))
    throw invalidDocumentVersion(`Document version ${version} does not exist for document ${name}.`);
  return found;
}

/** What a document is called with: the given values, checked, and the defaults. @throws AwsError InvalidParameters */
export function parametersFor(
  document: ServedDocument,
  given: Readonly<Record<string, readonly string[]>> = {},
): Record<string, string[]> {
  const known = document.content.parameters;
  for (const name of Object.keys(given))
    if (!Object.hasOwn(known, name))
      throw invalidParameters(`Parameter ${name} is not a parameter of ${document.name}.`);
  return Object.fromEntries(
    Object.entries(known).map(([name, parameter]) => {
      const values = given[name] ?? (parameter.default === undefined ? undefined : [parameter.default]);
      if (!values || values.length === 0) throw invalidParameters(`Parameter ${name} is required.`);
      if (parameter.type === 'String' && values.length > 1)
        throw invalidParameters(`Parameter ${name} takes one value.`);
      const pattern = parameter.allowedPattern && new RegExp(`^(?:${parameter.allowedPattern})$`);
      if (pattern && !values.every((value) => pattern.test(value)))
        throw invalidParameters(`Parameter ${name} does not fit the pattern ${parameter.allowedPattern}.`);
      return [name, [...values]];
    }),
  );
}

/** An agent reads a list as a list and any other value as itself. */
export function forAgent(
  document: ServedDocument,
  values: Readonly<Record<string, readonly string[]>>,
): Record<string, string | readonly string[]> {
  const known = document.content.parameters;
  return Object.fromEntries(
    Object.entries(values).map(([name, given]) => [
      name,
      known[name]?.type === 'StringList' ? given : (given[0] ?? ''),
    ]),
  );
}

const textOf = (document: ServedDocument) => JSON.stringify(document.content, null, 2);

function describe(document: ServedDocument): DocumentDescription {
  return {
    Hash: createHash('sha256').update(textOf(document)).digest('hex'),
    HashType: 'Sha256',
    Name: document.name,
    Owner: 'Amazon',
    CreatedDate: createdAt,
    Status: 'Active',
    DocumentVersion: '1',
    Description: document.description,
    Parameters: Object.entries(document.content.parameters).map(([Name, parameter]) => ({
      Name,
      Type: parameter.type,
      Description: parameter.description,
      ...(parameter.default !== undefined && { DefaultValue: parameter.default }),
    })),
    PlatformTypes: [...document.platforms],
    DocumentType: document.type,
    SchemaVersion: document.schemaVersion,
    LatestVersion: '1',
    DefaultVersion: '1',
    DocumentFormat: 'JSON',
    Tags: [],
  };
}

function getDocument(_call: Call, input: GetDocumentRequest): GetDocumentResult {
  const document = documentFor(input.Name ?? '', input.DocumentVersion);
  if (input.DocumentFormat !== undefined && input.DocumentFormat !== 'JSON')
    throw invalidDocument(`Postern has this document in JSON alone, not in ${input.DocumentFormat}.`);
  return {
    Name: document.name,
    CreatedDate: createdAt,
    DocumentVersion: '1',
    Status: 'Active',
    Content: textOf(document),
    DocumentType: document.type,
    DocumentFormat: 'JSON',
  };
}

function describeDocument(_call: Call, input: DescribeDocumentRequest): DescribeDocumentResult {
  return { Document: describe(documentFor(input.Name ?? '', input.DocumentVersion)) };
}

/** Filter key → does the document have one of the values? */
const filters: Readonly<Record<string, (document: ServedDocument, values: readonly string[]) => boolean>> = {
  Name: ({ name }, values) => values.some((value) => name.startsWith(value)),
  Owner: (_document, values) => values.some((value) => ['Amazon', 'Public', 'All'].includes(value)),
  PlatformTypes: ({ platforms }, values) => values.some((value) => platforms.some((one) => one === value)),
  DocumentType: ({ type }, values) => values.some((value) => value === type),
};

function listDocuments(_call: Call, input: ListDocumentsRequest): ListDocumentsResult {
  const asked = [
    ...(input.Filters ?? []).map(({ Key = '', Values = [] }) => ({ key: Key, values: Values })),
    ...(input.DocumentFilterList ?? []).map(({ key = '', value = '' }) => ({ key: String(key), values: [value] })),
  ];
  const fitting = documents.filter((document) =>
    asked.every(({ key, values }) => {
      const fits = Object.hasOwn(filters, key) ? filters[key] : undefined;
      if (!fits) throw invalidFilterKey();
      return fits(document, values);
    }),
  );
  const { page, next } = pageOf(fitting, input, 1, 50);
  return {
    DocumentIdentifiers: page.map((document) => {
      const { Name, CreatedDate, Owner, PlatformTypes, DocumentVersion, DocumentType, SchemaVersion, DocumentFormat } =
        describe(document);
      return {
        Name,
        CreatedDate,
        Owner,
        PlatformTypes,
        DocumentVersion,
        DocumentType,
        SchemaVersion,
        DocumentFormat,
        Tags: [],
      };
    }),
    ...next,
  };
}

const onDocument = (call: Call, name: string | undefined): Permission[] => [
  { action: `ssm:${call.operation}`, resource: documentArn(call, name ?? '') },
];

export const documentOperations = {
  GetDocument: operation<GetDocumentRequest, GetDocumentResult>({
    authorize: (call, input) => onDocument(call, input.Name),
    run: getDocument,
    readOnly: true,
  }),
  DescribeDocument: operation<DescribeDocumentRequest, DescribeDocumentResult>({
    authorize: (call, input) => onDocument(call, input.Name),
    run: describeDocument,
    readOnly: true,
  }),
  ListDocuments: operation<ListDocumentsRequest, ListDocumentsResult>({
    authorize: 'auto',
    run: listDocuments,
    readOnly: true,
  }),
};
