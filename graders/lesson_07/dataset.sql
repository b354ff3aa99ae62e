-- The rows of lesson-07: a tenant to try things on, and one with more invoices than anybody wants in memory at once.
--
-- Sizes: octo.export (invoices of tenant 2). What the failing lines lean on: of tenant 1, invoices 1 to 20 are sent and
-- nothing was paid, 21 to 40 are drafts; each customer has four. What checks use otherwise, they write themselves.

SET synchronous_commit = on;

ALTER TABLE tenants ALTER COLUMN id RESTART WITH 3;
INSERT INTO tenants (id, name, currency, created_at)
VALUES (1, 'Octavia Retail', 'EUR', '2025-12-01 08:00+00'), (2, 'Nordwind Logistics', 'USD', '2025-12-01 08:00+00');

INSERT INTO customers (id, tenant_id, name, email, created_at)
SELECT at, 1 + at / 11, 'Customer ' || at, 'c' || at || '@customer.example', timestamptz '2025-12-02 08:00+00' + at * interval '1 hour'
FROM generate_series(1, 20) AS at;
ALTER TABLE customers ALTER COLUMN id RESTART WITH 21;

INSERT INTO invoices (id, tenant_id, customer_id, number, status, currency, total_cents, due_on, created_at)
SELECT at, 1, 1 + (at - 1) % 10, 'INV-' || to_char(at, 'FM000000'), CASE WHEN at <= 20 THEN 'sent' ELSE 'draft' END, 'EUR',
       100000, CASE WHEN at <= 20 THEN date '2026-02-01' END, timestamptz '2026-01-01 08:00+00' + at * interval '1 hour'
FROM generate_series(1, 40) AS at;

INSERT INTO invoices (id, tenant_id, customer_id, number, status, currency, total_cents, due_on, created_at)
SELECT 100 + at, 2, 11 + at % 10, 'N-' || to_char(at, 'FM00000000'), 'sent', 'USD', 1000 + at % 977, date '2026-02-01',
       timestamptz '2026-01-01 08:00+00' + at * interval '1 second'
FROM generate_series(1, current_setting('octo.export')::bigint) AS at;
ALTER TABLE invoices ALTER COLUMN id RESTART WITH 1000000;

INSERT INTO invoice_lines (invoice_id, position, description, quantity, unit_price_cents)
SELECT id, 1, 'Services as agreed', 1, total_cents FROM invoices WHERE tenant_id = 1;
UPDATE tenants SET last_invoice_number = 40 WHERE id = 1;
