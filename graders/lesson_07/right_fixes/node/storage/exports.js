// All invoices of a tenant as CSV (RFC 4180), a few at a time: the database keeps the place, so nobody holds them all.

import { instant } from './pool.js';

const ROWS_AT_ONCE = 1000;
const HEADER = 'id,customer_id,number,status,currency,total_cents,paid_cents,due_on,created_at\r\n';

export async function* invoicesAsCsv(database, tenant) {
  const client = await database.connect();
  try {
    await client.query('BEGIN READ ONLY');
    await client.query(
      `DECLARE export CURSOR FOR
       SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, ${instant('created_at')}
       FROM invoices WHERE tenant_id = $1 ORDER BY invoices.id`,
      [tenant],
    );
    for (let lines = HEADER; lines; lines = (await fetched(client)).map(line).join('')) yield lines;
  } finally {
    const gone = await client.query('ROLLBACK').then(() => false, () => true);
    client.release(gone);
  }
}

async function fetched(client) {
  const { rows } = await client.query({ text: `FETCH ${ROWS_AT_ONCE} FROM export`, rowMode: 'array' });
  return rows;
}

const line = (cells) => cells.map(cell).join(',') + '\r\n';

function cell(value) {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
