// What handlers share: ids from the path, pages, and what is created once.

import { once } from '../storage/idempotency.js';
import { encodeCursor, idOf, keyOf } from './requests.js';

export { idOf };
export const MAX_TOTAL = 1_000_000_000_000;
export const PAGE = ['limit', 'cursor'];

export const ok = (body) => ({ status: 200, body });
export const invoiceOf = ({ parameters }) => idOf(parameters[0], 'invoice');

// One transaction for what is created, and for the key under which it is created.
export async function creating(context, status, create) {
  const { request, write, tenant } = context;
  const path = request.url.split('?')[0];
  const asked = { tenant, key: keyOf(request), request: [request.method, path, request.raw ?? ''] };
  const { location, body } = await once(write, asked, create);
  return { status, body, headers: { Location: location } };
}

export function page(rows, limit, position) {
  const items = rows.slice(0, limit);
  const last = items[items.length - 1];
  return ok({ items, next_cursor: rows.length > limit ? encodeCursor(position(last)) : null });
}
