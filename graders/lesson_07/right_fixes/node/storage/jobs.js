// A job is a row, committed together with what it is about. It is the queue, too; who takes it stands in leases.js.

import { Problem, notFound } from '../web/problems.js';
import { instant } from './pool.js';

const COLUMNS = `id, kind, status, attempts, invoice_id, payment_id, report, reason, detail,
           ${instant('created_at')}, ${instant('finished_at')}`;
const FOUND = `
  FROM jobs WHERE tenant_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR kind = $3)
    AND ($4::bigint IS NULL OR invoice_id = $4)`;

export async function add(client, limit, { kind, tenant, invoice = null, request = {} }) {
  await expectRoom(client, limit);
  const { rows } = await client.query(
    `INSERT INTO jobs (tenant_id, kind, invoice_id, request) SELECT id, $2, $3, $4 FROM tenants WHERE id = $1
     RETURNING ${COLUMNS}`,
    [tenant, kind, invoice, request],
  );
  if (!rows.length) throw notFound('tenant');
  return rows[0];
}

export async function get(database, tenant, id, lock = '') {
  const { rows } = await database.query(`SELECT ${COLUMNS} FROM jobs WHERE tenant_id = $1 AND id = $2 ${lock}`, [tenant, id]);
  if (!rows.length) throw notFound('job');
  return rows[0];
}

export async function requeue(client, limit, tenant, id) {
  const { status } = await get(client, tenant, id, 'FOR UPDATE');
  if (status !== 'dead') throw new Problem('job-not-dead', `Only a dead job can be queued again; this one is ${status}.`);
  await expectRoom(client, limit);
  const { rows } = await client.query(
    `UPDATE jobs SET status = 'queued', attempts = 0, due_at = now(), reason = NULL, detail = NULL, finished_at = NULL
     WHERE id = $1 RETURNING ${COLUMNS}`,
    [id],
  );
  return rows[0];
}

export async function list(database, { tenant, status, kind, invoice }, after, rowsWanted) {
  const { rows } = await database.query(
    `SELECT ${COLUMNS} ${FOUND} AND jobs.id > $5 ORDER BY jobs.id LIMIT $6`,
    [tenant, status, kind, invoice, after?.id ?? '0', rowsWanted],
  );
  return rows;
}

export async function count(database, { tenant, status, kind, invoice }) {
  const { rows } = await database.query(`SELECT count(*) ${FOUND}`, [tenant, status, kind, invoice]);
  return Number(rows[0].count);
}

// What open charges of the invoice are about to take. The caller holds the invoice's row.
export async function beingCharged(client, invoice) {
  const { rows } = await client.query(
    `SELECT coalesce(sum((request->>'amount_cents')::bigint), 0) AS cents FROM jobs
     WHERE invoice_id = $1 AND kind = 'charge' AND status IN ('queued', 'running')`,
    [invoice],
  );
  return Number(rows[0].cents);
}

async function expectRoom(client, limit) {
  const open = `SELECT count(*) FROM (SELECT FROM jobs WHERE status IN ('queued', 'running') LIMIT $1) AS open`;
  const { rows } = await client.query(open, [limit]);
  if (Number(rows[0].count) >= limit)
    throw new Problem('queue-full', 'Too much is waiting to be done; try again later.', { headers: { 'Retry-After': '5' } });
}
