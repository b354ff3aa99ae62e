// A customer is found only by its own tenant.

import { notFound } from '../web/problems.js';
import { instant } from './pool.js';

const COLUMNS = `id, name, email, ${instant('created_at')}`;

export async function add(database, tenant, name, email) {
  const insert = `
    INSERT INTO customers (tenant_id, name, email) SELECT id, $2, $3 FROM tenants WHERE id = $1
    RETURNING ${COLUMNS}`;
  const { rows } = await database.query(insert, [tenant, name, email]);
  if (!rows.length) throw notFound('tenant');
  return rows[0];
}

export async function get(database, tenant, id) {
  const select = `SELECT ${COLUMNS} FROM customers WHERE tenant_id = $1 AND id = $2`;
  const { rows } = await database.query({ name: 'customer', text: select, values: [tenant, id] });
  if (!rows.length) throw notFound('customer');
  return rows[0];
}

export async function list(database, tenant, after, rowsWanted) {
  const select = `SELECT ${COLUMNS} FROM customers WHERE tenant_id = $1 AND id > $2 ORDER BY customers.id LIMIT $3`;
  const { rows } = await database.query(select, [tenant, after?.id ?? '0', rowsWanted]);
  return rows;
}
