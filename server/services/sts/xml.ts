// XML read strictly, by namespace and name. Documents with a DOCTYPE are none: entities have no place in what strangers send.

import { DOMParser } from '@xmldom/xmldom';

/** @returns undefined for a text that is no XML. */
export function parse(xml: string): Element | undefined {
  if (xml.includes('<!DOCTYPE')) return undefined;
  try {
    const refuse = (message: string) => {
      throw new Error(message);
    };
    const parser = new DOMParser({ errorHandler: { warning: refuse, error: refuse, fatalError: refuse } });
    return parser.parseFromString(xml, 'text/xml').documentElement ?? undefined;
  } catch {
    return undefined;
  }
}

export const is = (element: Element, namespace: string, name: string) =>
  element.namespaceURI === namespace && element.localName === name;

export function children(parent: Element | undefined, namespace: string, name: string): Element[] {
  const found: Element[] = [];
  for (let node = parent?.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === 1 && is(node as Element, namespace, name)) found.push(node as Element);
  }
  return found;
}

export function descend(
  from: Element | undefined,
  namespace: string,
  ...names: readonly string[]
): Element | undefined {
  let at = from;
  for (const name of names) at = children(at, namespace, name)[0];
  return at;
}

export const textOf = (element: Element | undefined): string => element?.textContent?.trim() ?? '';

export function attribute(element: Element | undefined, name: string): string | undefined {
  const value = element?.getAttribute(name) ?? '';
  return value === '' ? undefined : value;
}
