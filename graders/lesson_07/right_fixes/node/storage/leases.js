// One worker at a time has a job in hand, until its lease runs out without a sign of life.

const UNTIL = (seconds) => `now() + ${seconds} * interval '1 second'`;

export class LeaseLost extends Error {}

// Jobs of one kind that nobody has in hand, at most so many. Workers that ask at once get different ones.
export async function take(database, kind, most, seconds) {
  const { rows } = await database.query(
    `UPDATE jobs SET status = 'running', attempts = attempts + 1, lease = gen_random_uuid(), leased_until = ${UNTIL('$3')}
     WHERE id = ANY(ARRAY(
       SELECT id FROM jobs
       WHERE kind = $1 AND (status = 'queued' AND due_at <= now() OR status = 'running' AND leased_until < now())
       ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED))
     RETURNING id, tenant_id, kind, invoice_id, request, key, attempts, lease`,
    [kind, most, seconds],
  );
  return rows;
}

export const keep = (database, leases, seconds) =>
  database.query(`UPDATE jobs SET leased_until = ${UNTIL('$2')} WHERE lease = ANY($1::uuid[])`, [leases, seconds]);

// Whoever comes next may have them at once; a try that was broken off is none.
export const giveBack = (database, leases) =>
  database.query(
    `UPDATE jobs SET status = 'queued', lease = NULL, due_at = now(), attempts = attempts - 1 WHERE lease = ANY($1::uuid[])`,
    [leases],
  );

// Keep everybody from the job until the transaction ends.
export const hold = (client, job) => ours(client.query('SELECT FROM jobs WHERE lease = $1 FOR UPDATE', [job.lease]));

export const done = (client, job, { payment = null, report = null }) =>
  ours(client.query(
    `UPDATE jobs SET status = 'done', lease = NULL, finished_at = now(), payment_id = $2, report = $3 WHERE lease = $1`,
    [job.lease, payment, report],
  ));

export const bury = (database, job, reason, detail) =>
  ours(database.query(
    `UPDATE jobs SET status = 'dead', lease = NULL, finished_at = now(), reason = $2, detail = $3 WHERE lease = $1`,
    [job.lease, reason, detail],
  ));

export const putOff = (database, job, seconds) =>
  ours(database.query(`UPDATE jobs SET status = 'queued', lease = NULL, due_at = ${UNTIL('$2')} WHERE lease = $1`, [job.lease, seconds]));

async function ours(asked) {
  const { rowCount } = await asked;
  if (!rowCount) throw new LeaseLost('The job is somebody else\'s by now, or has ended.');
}
