// A key is taken in the transaction that creates: the second of two twins waits at the primary key for the first.

import { createHash } from 'node:crypto';
import { invalid, notFound } from '../web/problems.js';

// `write` is what stands around a transaction that changes summaries (`changing`).
export function once(write, { tenant, key, request }, create) {
  if (key === null) return write(create);
  const hash = createHash('sha256');
  for (const part of request) hash.update(part).update('\n');
  const fingerprint = hash.digest();
  return write(async (client, touch) => {
    const taken = await client.query(
      `INSERT INTO idempotency_keys (tenant_id, key, fingerprint) SELECT id, $2, $3 FROM tenants WHERE id = $1
       ON CONFLICT DO NOTHING`,
      [tenant, key, fingerprint],
    );
    if (!taken.rowCount) return answerOf(client, tenant, key, fingerprint);
    const made = await create(client, touch);
    await client.query('UPDATE idempotency_keys SET location = $3, body = $4 WHERE tenant_id = $1 AND key = $2', [
      tenant, key, made.location, JSON.stringify(made.body),
    ]);
    return made;
  });
}

async function answerOf(client, tenant, key, fingerprint) {
  const { rows } = await client.query(
    'SELECT fingerprint, location, body FROM idempotency_keys WHERE tenant_id = $1 AND key = $2',
    [tenant, key],
  );
  if (!rows.length) throw notFound('tenant');
  if (!rows[0].fingerprint.equals(fingerprint)) {
    const problem = invalid([{ pointer: '/header/Idempotency-Key', detail: 'came with another request before' }]);
    throw Object.assign(problem, {
      type: 'urn:problem-type:billing:idempotency-key-reused',
      title: 'The idempotency key was used for another request',
    });
  }
  return { location: rows[0].location, body: JSON.parse(rows[0].body) };
}
