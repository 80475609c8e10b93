// Which condition keys does a policy ask about? Those of its Condition elements, and those that its variables stand for (O5).

import type { PolicyDocument, Statement } from './types.ts';

/** @returns each key once, as it is first written; keys have no case (O4) */
export function contextKeysOf(documents: readonly PolicyDocument[]): string[] {
  const keys = new Map<string, string>();
  for (const document of documents) {
    for (const statement of document.statements) {
      for (const key of keysOf(statement, document.version === '2012-10-17')) {
        if (!keys.has(key.toLowerCase())) keys.set(key.toLowerCase(), key);
      }
    }
  }
  return [...keys.values()];
}

function keysOf({ conditions, resources, notResources }: Statement, variables: boolean): string[] {
  const asked = conditions.map((condition) => condition.key);
  if (!variables) return asked;
  const texts = [...(resources ?? []), ...(notResources ?? []), ...conditions.flatMap((condition) => condition.values)];
  return [...asked, ...texts.flatMap(variablesOf)];
}

/** `${aws:PrincipalTag/team, 'none'}` stands for aws:PrincipalTag/team; the escapes for a star, a question mark and a dollar are no variables. */
function variablesOf(text: string): string[] {
  return [...text.matchAll(/\$\{\s*([^,'}]*[^,'}\s])\s*(?:,[^}]*)?\}/g)].flatMap(([, key]) =>
    key === undefined || /^[*?$]$/.test(key) ? [] : [key],
  );
}
