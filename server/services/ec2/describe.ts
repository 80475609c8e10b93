// The one way every Describe of stored rows goes: ids, then filters, then a page. Rows are turned into output only after that, for one page.

import type { Filter } from '@aws-sdk/client-ec2';
import type { Call } from '../../service.ts';
import type { Kind, Rows } from '../../store/store.ts';
import type { ResourceKind } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { type PageRequest, paginate } from './pagination.ts';
import { selectRows } from './rows.ts';

export interface DescribeRequest extends PageRequest {
  readonly Filters?: readonly Filter[] | undefined;
}

export interface DescribeHow<R> {
  readonly ids: readonly string[] | undefined;
  /** The wire's name of the list of ids, e.g. `vpcSet`. */
  readonly parameter: string;
  readonly filters: FilterTable<R>;
  /** AWS's bounds of MaxResults; 5 and 1000 for most. */
  readonly min?: number;
  readonly max?: number;
}

/** @returns the rows of the page, and `next` to spread into the output */
export function describe<K extends ResourceKind & Kind>(
  call: Call,
  kind: K,
  request: DescribeRequest,
  how: DescribeHow<Rows[K]>,
): { page: readonly Rows[K][]; next: { NextToken?: string } } {
  const rows = applyFilters(selectRows(call, kind, how.ids), request.Filters, how.filters);
  const bounds = { min: how.min ?? 5, max: how.max ?? 1000, ids: { values: how.ids, parameter: how.parameter } };
  const { page, ...next } = paginate(rows, request, bounds, (row) => row.id);
  return { page, next };
}
