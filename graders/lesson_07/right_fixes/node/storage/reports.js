// What a tenant's invoices of some days (UTC) add up to.

export async function totals(client, tenant, { from, until }) {
  const { rows } = await client.query(
    `SELECT count(*) AS invoices, coalesce(sum(total_cents), 0) AS total_cents, coalesce(sum(paid_cents), 0) AS paid_cents
     FROM invoices WHERE tenant_id = $1 AND status <> 'void' AND created_at >= $2::date AND created_at < $3::date`,
    [tenant, from, until],
  );
  return Object.fromEntries(Object.entries(rows[0]).map(([name, value]) => [name, Number(value)]));
}
