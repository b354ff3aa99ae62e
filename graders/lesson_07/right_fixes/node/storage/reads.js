// The four reads that people wait for; migrations/0004 has an index for each.

import { notFound } from '../web/problems.js';
import { INVOICE, invoice, withLines } from './invoices.js';

export async function newest(database, customer, after, rowsWanted) {
  const seek = after ? 'AND (invoices.created_at, id) < ($3, $4)' : '';
  const text = `
    SELECT ${INVOICE} FROM invoices WHERE customer_id = $1 ${seek}
    ORDER BY invoices.created_at DESC, id DESC LIMIT $2`;
  const values = [customer, rowsWanted, ...(after ? [after.created_at, after.id] : [])];
  const { rows } = await database.query({ name: after ? 'newest-next' : 'newest', text, values });
  return rows.map(invoice);
}

export async function overdue(database, tenant, asOf, after, rowsWanted) {
  const seek = after ? 'AND (due_on, id) > ($4, $5)' : '';
  const text = `
    SELECT ${INVOICE} FROM invoices WHERE tenant_id = $1 AND status = 'sent' AND due_on < $2 ${seek}
    ORDER BY due_on, id LIMIT $3`;
  const values = [tenant, asOf, rowsWanted, ...(after ? [after.due_on, after.id] : [])];
  const { rows } = await database.query({ name: after ? 'overdue-next' : 'overdue', text, values });
  return rows.map(invoice);
}

export async function byNumber(database, tenant, number) {
  const text = `SELECT ${INVOICE} FROM invoices WHERE tenant_id = $1 AND lower(number) = lower($2)`;
  const { rows } = await database.query({ name: 'by-number', text, values: [tenant, number] });
  if (!rows.length) throw notFound('invoice');
  return withLines(database, invoice(rows[0]));
}

export async function balance(database, tenant, customer) {
  const text = `
    SELECT customers.id, tenants.currency,
           (SELECT json_build_array(count(*), coalesce(sum(total_cents - paid_cents), 0))
            FROM invoices WHERE customer_id = customers.id AND status = 'sent') AS open
    FROM customers JOIN tenants ON tenants.id = customers.tenant_id
    WHERE customers.tenant_id = $1 AND customers.id = $2`;
  const { rows } = await database.query({ name: 'balance', text, values: [tenant, customer] });
  if (!rows.length) throw notFound('customer');
  const [{ id, currency, open }] = rows;
  return { customer_id: id, currency, open_invoices: open[0], outstanding_cents: open[1] };
}
