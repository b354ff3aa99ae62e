-- The rows of lesson-06: two tenants that know nothing of each other, with users of every role, and invoices in every state.
--
-- Sizes: octo.invoices (of each tenant).
-- What the checks lean on: ids have four digits and gaps, so that an id that is nobody's looks like one that is somebody's;
-- both tenants use the same invoice numbers; some customers have no invoice; there are users to spare.

SET synchronous_commit = on;

ALTER TABLE tenants ALTER COLUMN id RESTART WITH 3;
INSERT INTO tenants (id, name, currency, created_at)
VALUES (1, 'Octavia Retail', 'EUR', '2025-12-01 08:00+00'), (2, 'Nordwind Logistics', 'USD', '2025-12-01 08:00+00');

INSERT INTO users (id, tenant_id, subject, role, active, created_at)
SELECT 1000 + 100 * tenant + 2 * at, tenant, name || '-' || role || part, role, true, timestamptz '2025-12-01 09:00+00'
FROM (VALUES (1, 'octavia'), (2, 'nordwind')) AS tenants (tenant, name),
     (VALUES (1, 'viewer', ''), (2, 'clerk', ''), (3, 'accountant', ''), (4, 'auditor', ''), (5, 'admin', ''),
             (6, 'viewer', '-2'), (7, 'clerk', '-2'), (8, 'accountant', '-2')) AS users (at, role, part);
ALTER TABLE users ALTER COLUMN id RESTART WITH 1500;

INSERT INTO customers (id, tenant_id, name, email, created_at)
SELECT 1000 + 500 * (tenant - 1) + 2 * at, tenant, 'Customer ' || at || ' of ' || name, 'c' || at || '@' || name || '.example',
       timestamptz '2025-12-02 08:00+00' + at * interval '1 hour'
FROM (VALUES (1, 'octavia'), (2, 'nordwind')) AS tenants (tenant, name), generate_series(1, 50) AS at;
ALTER TABLE customers ALTER COLUMN id RESTART WITH 2500;

-- Of ten invoices four are drafts, four sent (some overdue, some paid in part), one is paid, one void. Amounts repeat.
-- The first 10 customers have them all.
INSERT INTO invoices (id, tenant_id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at)
SELECT 1000 + 1000 * (tenant - 1) + 2 * at,
       tenant,
       1000 + 500 * (tenant - 1) + 2 * (1 + at / 10 % 10),
       'INV-' || to_char(at, 'FM000000'),
       status,
       currency,
       total,
       CASE WHEN status = 'paid' THEN total WHEN at % 30 = 7 THEN 1000 ELSE 0 END,
       CASE WHEN status IN ('sent', 'paid') THEN date '2026-01-01' + (at % 60)::integer END,
       timestamptz '2026-01-01 08:00+00' + at * interval '1 hour'
FROM (VALUES (1, 'EUR'), (2, 'USD')) AS tenants (tenant, currency),
     generate_series(1, current_setting('octo.invoices')::bigint) AS at
CROSS JOIN LATERAL (
    SELECT (ARRAY['paid', 'draft', 'draft', 'draft', 'draft', 'sent', 'sent', 'sent', 'sent', 'void'])[1 + at % 10] AS status,
           5000 + 100 * (at % 7) AS total
) AS kind;
ALTER TABLE invoices ALTER COLUMN id RESTART WITH 4000;
UPDATE tenants SET last_invoice_number = current_setting('octo.invoices')::bigint;

INSERT INTO invoice_lines (invoice_id, position, description, quantity, unit_price_cents)
SELECT id, 1, 'Services as agreed', 1, total_cents FROM invoices;

INSERT INTO payments (id, invoice_id, amount_cents, received_at)
SELECT 1000 + row_number() OVER (ORDER BY id) * 2, id, paid_cents, created_at + interval '1 day'
FROM invoices WHERE paid_cents > 0;
ALTER TABLE payments ALTER COLUMN id RESTART WITH 3000;
