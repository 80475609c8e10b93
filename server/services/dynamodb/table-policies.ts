// Resource-based policies of tables, as the authorizer and PutResourcePolicy see them. The engine keeps them, with their tables.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html (read 2026-11-21)

import { parsePolicy } from '@postern/policy/document.ts';
import { publicStatement } from '@postern/policy/public.ts';
import type { Service } from '../../service.ts';
import type { Space, TableFacts, WireInput } from './engine/protocol.ts';
import { validation } from './errors.ts';

type ResourcePolicy = ReturnType<NonNullable<Service['resourcePolicy']>>;

const maxPolicyCharacters = 20 * 1024;

const arnOf = ({ partition, region, accountId }: Space, table: string) =>
  `arn:${partition}:dynamodb:${region}:${accountId}:table/${table}`;

/** The policies of the tables of one question. The authorizer asks without waiting, and the engine is in another process: so they are fetched before. */
export class TablePolicies {
  #present: ReadonlyMap<string, NonNullable<ResourcePolicy>> = new Map();

  /** Runs `question` with the tables' policies in force. It does not wait, so no other question can see them. */
  during(space: Space, facts: Readonly<Record<string, TableFacts>>, question: () => void): void {
    this.#present = new Map(
      Object.entries(facts).flatMap(([table, { policy: policyText }]) => {
        if (policyText === undefined) return [];
        const id = `resource policy of table ${table}`;
        return [[arnOf(space, table), { policyText, id, ownerAccountId: space.accountId }]];
      }),
    );
    try {
      question();
    } finally {
      this.#present = new Map();
    }
  }

  /** @param resource a table's ARN, or one of its indexes: the table's policy speaks for both */
  of(resource: string): ResourcePolicy {
    return this.#present.get(resource.replace(/\/index\/.*$/, ''));
  }
}

/**
 * The policy that PutResourcePolicy or CreateTable wants to attach.
 * @throws ValidationException. The wordings are without a source
 */
export function checkTablePolicy(space: Space, input: WireInput): void {
  const text = input['Policy'] ?? input['ResourcePolicy'];
  if (typeof text !== 'string') return;
  const own = String(input['ResourceArn'] ?? arnOf(space, String(input['TableName'])));
  const parsed = parsePolicy(text, {
    kind: 'resource',
    maxSize: maxPolicyCharacters,
    // `*` is taken too (recorded).
    resourceFits: (resource) => resource === '*' || resource === own || resource.startsWith(`${own}/`),
  });
  if (!parsed.ok) throw validation(`Invalid resource-based policy: ${parsed.message}`);
  // Block public access is always on.
  if (publicStatement(parsed.document)) throw validation('Invalid resource-based policy: it allows public access.');
}
