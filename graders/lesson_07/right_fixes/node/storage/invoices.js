// An invoice is written whole or not at all, and changed only under its row lock.

import { Problem, notFound } from '../web/problems.js';
import { instant } from './pool.js';

export const INVOICE = `id, customer_id, number, status, currency, total_cents, paid_cents, due_on,
           ${instant('invoices.created_at')}`;

export const invoice = (row) => ({ ...row, total_cents: Number(row.total_cents), paid_cents: Number(row.paid_cents) });

export async function withLines(connection, found) {
  const text = `
    SELECT description, quantity, unit_price_cents FROM invoice_lines WHERE invoice_id = $1 ORDER BY position`;
  const { rows } = await connection.query({ name: 'lines', text, values: [found.id] });
  return { ...found, lines: rows.map((row) => ({ ...row, unit_price_cents: Number(row.unit_price_cents) })) };
}

async function one(connection, tenant, id, lock = '') {
  const { rows } = await connection.query(
    `SELECT ${INVOICE} FROM invoices WHERE id = $1 AND tenant_id = $2 ${lock}`,
    [id, tenant],
  );
  if (!rows.length) throw notFound('invoice');
  return invoice(rows[0]);
}

export const lock = (client, tenant, id) => one(client, tenant, id, 'FOR UPDATE');

export const get = async (database, tenant, id) => withLines(database, await one(database, tenant, id));

export async function add(client, touch, tenant, customer, total, { number, lines }) {
  await touch(customer);
  let stored = null;
  while (!stored) {
    const wanted = number ?? (await nextNumber(client, tenant));
    stored = await insert(client, tenant, customer, wanted, total);
    if (!stored && number != null)
      throw new Problem('number-taken', `An invoice with the number ${number} exists already.`);
  }
  await client.query(
    `INSERT INTO invoice_lines (invoice_id, position, description, quantity, unit_price_cents)
     SELECT $1, position, description, quantity, unit_price_cents
     FROM unnest($2::text[], $3::integer[], $4::bigint[])
          WITH ORDINALITY AS line (description, quantity, unit_price_cents, position)`,
    [stored.id, ...['description', 'quantity', 'unit_price_cents'].map((name) => lines.map((line) => line[name]))],
  );
  return withLines(client, stored);
}

async function nextNumber(client, tenant) {
  const { rows } = await client.query(
    'UPDATE tenants SET last_invoice_number = last_invoice_number + 1 WHERE id = $1 RETURNING last_invoice_number',
    [tenant],
  );
  return `INV-${rows[0].last_invoice_number.padStart(6, '0')}`;
}

async function insert(client, tenant, customer, number, total) {
  const { rows } = await client.query(
    `INSERT INTO invoices (tenant_id, customer_id, number, currency, total_cents)
     SELECT id, $2, $3, currency, $4 FROM tenants WHERE id = $1
     ON CONFLICT DO NOTHING RETURNING ${INVOICE}`,
    [tenant, customer, number, total],
  );
  return rows.length ? invoice(rows[0]) : null;
}

// One step in an invoice's life: lock, decide what changes, save.
async function step(client, touch, tenant, id, decide) {
  const found = await lock(client, tenant, id);
  await touch(found.customer_id);
  const changed = { ...found, ...decide(found) };
  await client.query('UPDATE invoices SET status = $2, paid_cents = $3, due_on = $4 WHERE id = $1', [
    id, changed.status, changed.paid_cents, changed.due_on,
  ]);
  return changed;
}

const refuse = (detail) => { throw new Problem('wrong-status', detail); };

export async function send(client, touch, tenant, id, dueOn) {
  return withLines(client, await step(client, touch, tenant, id, ({ status }) => {
    if (status !== 'draft') refuse(`Only a draft can be sent; this invoice is ${status}.`);
    return { status: 'sent', due_on: dueOn };
  }));
}

export async function withdraw(client, touch, tenant, id) {
  return withLines(client, await step(client, touch, tenant, id, ({ status, paid_cents }) => {
    if (!['draft', 'sent'].includes(status)) refuse(`This invoice is ${status}.`);
    if (paid_cents > 0) refuse("This invoice is paid in part, so it can't be voided.");
    return { status: 'void' };
  }));
}

const PAYMENT = `payments.id, invoice_id, amount_cents, ${instant('payments.received_at')}`;
const payed = (row) => ({ ...row, amount_cents: Number(row.amount_cents) });

export function expectPayable({ status, total_cents, paid_cents }, cents) {
  if (status !== 'sent') refuse(`Only a sent invoice can be paid; this invoice is ${status}.`);
  const outstanding = total_cents - paid_cents;
  if (cents > outstanding) throw new Problem('overpayment', `Only ${outstanding} cents are outstanding.`);
}

export async function pay(client, touch, tenant, id, cents, check = expectPayable) {
  await step(client, touch, tenant, id, (found) => {
    check(found, cents);
    const paid = found.paid_cents + cents;
    return { status: paid === found.total_cents ? 'paid' : 'sent', paid_cents: paid };
  });
  const { rows } = await client.query(
    `INSERT INTO payments (invoice_id, amount_cents) VALUES ($1, $2) RETURNING ${PAYMENT}`,
    [id, cents],
  );
  return payed(rows[0]);
}

export async function payment(database, tenant, invoiceId, id) {
  const { rows } = await database.query(
    `SELECT ${PAYMENT} FROM payments JOIN invoices ON invoices.id = invoice_id
     WHERE payments.id = $1 AND invoice_id = $2 AND tenant_id = $3`,
    [id, invoiceId, tenant],
  );
  if (!rows.length) throw notFound('payment');
  return payed(rows[0]);
}
