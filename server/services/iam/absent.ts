// What an account does not have yet: identity providers. Making one is answered as not implemented; to read that there is none is the truth.

import { operation } from '../../service.ts';
import { onEverything } from './permissions.ts';

/** An empty list of the account. */
const noneOfAccount = <M extends string>(member: M) =>
  operation<object, Record<M, never[]>>({
    authorize: onEverything,
    readOnly: true,
    run: () => ({ [member]: [] }) as unknown as Record<M, never[]>,
  });

export const absent = {
  ListSAMLProviders: noneOfAccount('SAMLProviderList'),
  ListOpenIDConnectProviders: noneOfAccount('OpenIDConnectProviderList'),
};
