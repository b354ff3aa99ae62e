// A customer is found only by its own tenant.

import { Problem, notFound } from '../web/problems.js';
import { inTransaction, instant } from './pool.js';

const COLUMNS = `id, name, email, address, ${instant('customers.created_at')}`;

// The address is kept as it came; what may be missing in it is null in an answer.
const customer = ({ address, created_at, ...row }) => ({
  ...row,
  address: address && { street: address.street, city: address.city, postcode: address.postcode ?? null, country: address.country },
  created_at,
});

function found(rows) {
  if (!rows.length) throw notFound('customer');
  return customer(rows[0]);
}

const values = ({ name, email, address }) => [name, email, address ? JSON.stringify(address) : null];

export async function add(client, tenant, details) {
  const insert = `
    INSERT INTO customers (tenant_id, name, email, address) SELECT id, $2, $3, $4 FROM tenants WHERE id = $1
    RETURNING ${COLUMNS}`;
  const { rows } = await client.query(insert, [tenant, ...values(details)]);
  if (!rows.length) throw notFound('tenant');
  return customer(rows[0]);
}

export async function get(database, tenant, id, lock = '') {
  const select = `SELECT ${COLUMNS} FROM customers WHERE tenant_id = $1 AND id = $2 ${lock}`;
  const { rows } = await database.query(select, [tenant, id]);
  return found(rows);
}

export async function replace(database, tenant, id, details) {
  const update = `
    UPDATE customers SET name = $3, email = $4, address = $5 WHERE tenant_id = $1 AND id = $2 RETURNING ${COLUMNS}`;
  const { rows } = await database.query(update, [tenant, id, ...values(details)]);
  return found(rows);
}

export function change(database, tenant, id, decide) {
  return inTransaction(database, async (client) =>
    replace(client, tenant, id, decide(await get(client, tenant, id, 'FOR UPDATE'))));
}

export async function remove(write, tenant, id) {
  try {
    await write(async (client, touch) => {
      await touch(id);
      const { rowCount } = await client.query('DELETE FROM customers WHERE tenant_id = $1 AND id = $2', [tenant, id]);
      if (!rowCount) throw notFound('customer');
    });
  } catch (error) {
    if (error.code !== '23503') throw error;
    throw new Problem('customer-has-invoices', 'This customer has invoices, so it is kept.');
  }
}

export async function list(database, tenant, after, rowsWanted) {
  const select = `SELECT ${COLUMNS} FROM customers WHERE tenant_id = $1 AND id > $2 ORDER BY customers.id LIMIT $3`;
  const { rows } = await database.query(select, [tenant, after?.id ?? '0', rowsWanted]);
  return rows.map(customer);
}
