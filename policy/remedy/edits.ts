// Changes of policies as values: which statement of which policy becomes what. Applied to a PolicySet they can be tried before anybody writes anything.

import type { PolicyDocument, PolicyLayer, PolicyLevel, PolicySet, PolicySource, Statement } from '../types.ts';

interface Place {
  readonly layer: PolicyLayer;
  /** The `id` of the source; absent: a policy that does not exist yet. */
  readonly policyId?: string;
}

export type Edit = Place &
  (
    | { readonly kind: 'append'; readonly statement: Statement }
    /** The statement at this place gives way to these, none of them included. */
    | { readonly kind: 'replace'; readonly index: number; readonly statements: readonly Statement[] }
  );

const empty: PolicyDocument = { version: '2012-10-17', statements: [] };
const newPolicyId = 'new policy';

/** @returns the policies as they would be; the given ones stay as they are */
export function applyEdits(policies: PolicySet, edits: readonly Edit[]): PolicySet {
  return byPlace(edits).reduce((set, group) => applyGroup(set, group), policies);
}

/** All edits of one policy together: the places of its statements are those before any of them. */
export function byPlace(edits: readonly Edit[]): Edit[][] {
  const groups = new Map<string, Edit[]>();
  for (const edit of edits) {
    const key = `${edit.layer} ${edit.policyId ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), edit]);
  }
  return [...groups.values()];
}

/** The statements of a policy after all edits of it. @param render what stands for a statement in the result */
export function editedList<T>(list: readonly T[], edits: readonly Edit[], render: (statement: Statement) => T): T[] {
  const replaced = list.flatMap((item, index) => {
    const edit = edits.find((one) => one.kind === 'replace' && one.index === index);
    return edit?.kind === 'replace' ? edit.statements.map(render) : [item];
  });
  return [...replaced, ...edits.flatMap((one) => (one.kind === 'append' ? [render(one.statement)] : []))];
}

function applyGroup(policies: PolicySet, edits: readonly Edit[]): PolicySet {
  const [first] = edits;
  if (first === undefined) return policies;
  const { layer, policyId } = first;
  const edited = (source: PolicySource): PolicySource =>
    source.id === policyId ? { ...source, document: editedDocument(source.document, edits) } : source;
  const onLevels = (levels: readonly PolicyLevel[]) =>
    levels.map((level) => ({ ...level, policies: level.policies.map(edited) }));
  const made: PolicySource = { id: policyId ?? newPolicyId, document: editedDocument(empty, edits) };
  switch (layer) {
    case 'identity':
      return policies.identity.some(({ id }) => id === policyId)
        ? { ...policies, identity: policies.identity.map(edited) }
        : { ...policies, identity: [...policies.identity, made] };
    case 'session':
      return { ...policies, ...(policies.session && { session: policies.session.map(edited) }) };
    case 'scp':
      return { ...policies, ...(policies.scps && { scps: onLevels(policies.scps) }) };
    case 'rcp':
      return { ...policies, ...(policies.rcps && { rcps: onLevels(policies.rcps) }) };
    case 'resource':
    case 'boundary':
    case 'endpoint':
    case 'trust': {
      const source = policies[layer];
      return { ...policies, [layer]: source ? edited(source) : made };
    }
  }
}

function editedDocument(document: PolicyDocument, edits: readonly Edit[]): PolicyDocument {
  const statements = editedList(document.statements, edits, (statement) => statement);
  return { ...document, statements: statements.map((statement, index) => ({ ...statement, index })) };
}
