// Connections are few and bounded in time. Postgres' bigint comes as a string: ids stay so, cents become numbers.

import pg from 'pg';

pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

export function pool(connectionString, name = 'billing-web') {
  return new pg.Pool({
    connectionString,
    max: 10,
    connectionTimeoutMillis: 5_000,
    query_timeout: 35_000, // a connection that nobody answers on any more
    application_name: name,
    options: '-c statement_timeout=30s -c lock_timeout=10s -c timezone=UTC',
  });
}

export async function inTransaction(database, work) {
  const client = await database.connect();
  let gone = false;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    gone = await client.query('ROLLBACK').then(() => false, () => true);
    throw error;
  } finally {
    client.release(gone);
  }
}

// JavaScript's Date would lose the microseconds, so Postgres writes the text.
export const instant = (column, name = column.split('.').pop()) =>
  `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ${name}`;
