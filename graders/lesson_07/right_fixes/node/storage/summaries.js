// A customer on one line, read from the cache, and never older than the last change that was answered.
//
// One key for each customer. It holds the summary; or `filling:` and the reader who may put one there; or `busy:` and the
// write that is under way, while which nothing is cached. A write takes the key before it commits, so whoever read before
// it may no longer put what it read, and clears it afterwards. Writes about one customer wait for each other (`changing`).

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { notFound } from '../web/problems.js';
import { inTransaction, instant } from './pool.js';

const MS_FOR_AN_ANSWER = 1_000;
const MS_WITHOUT = 500; // after a failure nobody waits for the cache for so long
const MS_TO_FILL = 5_000;
const MS_OF_A_WRITE = 60_000; // longer than any
const MS_BETWEEN_LOOKS = 20;

const PUT = `
  if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end`;
// Another write that is under way keeps the key.
const CLEAR = `
  local held = redis.call('GET', KEYS[1])
  if held and (held == ARGV[1] or string.sub(held, 1, 5) ~= 'busy:') then redis.call('DEL', KEYS[1]) end`;

export class SummaryCache {
  #redis;
  #maxAgeMs;
  #owed = new Map(); // customers whose key could not be cleared, by which write; until it is, this process does without
  #downUntil = 0;
  #paying = false;

  constructor(url, maxAge) {
    this.#maxAgeMs = maxAge * 1000;
    this.#redis = new Redis(url, {
      lazyConnect: true,
      commandTimeout: MS_FOR_AN_ANSWER,
      connectTimeout: MS_FOR_AN_ANSWER,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      retryStrategy: () => 50,
    });
    this.#redis.on('error', () => {}); // whoever asks is told
    this.#redis.defineCommand('put', { numberOfKeys: 1, lua: PUT });
    this.#redis.defineCommand('clear', { numberOfKeys: 1, lua: CLEAR });
  }

  async open() {
    await Promise.race([this.#redis.connect().catch(() => {}), sleep(MS_FOR_AN_ANSWER)]);
  }

  close() {
    this.#redis.disconnect();
  }

  // Of many who miss at once, one reads for all.
  async get(tenant, customer, read) {
    const key = keyOf(customer);
    const right = `filling:${randomUUID()}`;
    for (const end = Date.now() + MS_TO_FILL; this.#usable() && Date.now() < end; await sleep(MS_BETWEEN_LOOKS)) {
      const held = await this.#asked(() => this.#redis.get(key));
      if (held === undefined || held?.startsWith('busy:')) break;
      if (held?.startsWith('{')) {
        const { owner, summary } = JSON.parse(held);
        if (owner !== tenant) break;
        return summary;
      }
      if (!held && (await this.#asked(() => this.#redis.set(key, right, 'PX', MS_TO_FILL, 'NX'))))
        return this.#filled(tenant, key, right, read);
    }
    return read();
  }

  async #filled(owner, key, right, read) {
    try {
      const summary = await read();
      await this.#asked(() => this.#redis.put(key, right, JSON.stringify({ owner, summary }), this.#maxAgeMs));
      return summary;
    } catch (error) {
      await this.#asked(() => this.#redis.clear(key, right));
      throw error;
    }
  }

  async begin(customer, write) {
    const taken = await this.#asked(() => this.#redis.set(keyOf(customer), write, 'PX', MS_OF_A_WRITE));
    if (taken === undefined) this.#owe(customer, write);
  }

  async end(customer, write) {
    const cleared = await this.#asked(() => this.#redis.clear(keyOf(customer), write));
    if (cleared === undefined) this.#owe(customer, write);
  }

  #owe(customer, write) {
    this.#owed.set(customer, { write });
    if (!this.#paying) this.#pay();
  }

  async #pay() {
    this.#paying = true;
    while (this.#owed.size) {
      await sleep(MS_BETWEEN_LOOKS, null, { ref: false });
      for (const [customer, owed] of [...this.#owed]) {
        const cleared = await this.#redis.clear(keyOf(customer), owed.write).then(() => true, () => false);
        // What was owed anew meanwhile may be of a write that committed after this.
        if (cleared && this.#owed.get(customer) === owed) this.#owed.delete(customer);
        if (!cleared) break;
      }
    }
    this.#paying = false;
  }

  #usable() {
    return !this.#owed.size && Date.now() >= this.#downUntil;
  }

  // Undefined where the cache did not answer.
  async #asked(ask) {
    if (Date.now() < this.#downUntil) return undefined;
    try {
      return (await ask()) ?? null;
    } catch {
      this.#downUntil = Date.now() + MS_WITHOUT;
      return undefined;
    }
  }
}

const keyOf = (customer) => `billing:summary:${customer}`;

// A transaction whose work calls `touch` with each customer whose summary it changes.
export async function changing(cache, database, work) {
  if (!cache) return inTransaction(database, (client) => work(client, () => {}));
  const write = `busy:${randomUUID()}`;
  const touched = new Set();
  const transaction = async (client) =>
    work(client, async (customer) => {
      // Whoever comes second takes the key only when the first has committed.
      await client.query('SELECT FROM customers WHERE id = $1 FOR NO KEY UPDATE', [customer]);
      touched.add(customer);
      await cache.begin(customer, write);
    });
  try {
    return await inTransaction(database, transaction);
  } finally {
    for (const customer of touched) await cache.end(customer, write);
  }
}

export async function summary(database, tenant, customer) {
  const { rows } = await database.query(
    `SELECT customers.id AS customer_id, tenants.currency, found.*
     FROM customers JOIN tenants ON tenants.id = tenant_id, LATERAL (
       SELECT count(*) AS invoices, count(*) FILTER (WHERE status = 'draft') AS drafts,
              coalesce(sum(total_cents) FILTER (WHERE status <> 'draft'), 0) AS total_cents,
              coalesce(sum(paid_cents), 0) AS paid_cents,
              coalesce(sum(total_cents - paid_cents) FILTER (WHERE status = 'sent'), 0) AS outstanding_cents,
              ${instant('max(created_at)', 'newest_at')}
       FROM invoices WHERE customer_id = customers.id AND status <> 'void') AS found
     WHERE tenant_id = $1 AND customers.id = $2`,
    [tenant, customer],
  );
  if (!rows.length) throw notFound('customer');
  const numbers = ['invoices', 'drafts', 'total_cents', 'paid_cents', 'outstanding_cents'];
  return { ...rows[0], ...Object.fromEntries(numbers.map((name) => [name, Number(rows[0][name])])) };
}
