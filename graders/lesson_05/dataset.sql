-- The rows of lesson-05: three years of one billing service, skewed as life is.
--
-- Sizes: octo.invoices, octo.customers, octo.whale (invoices of the one very large customer).
-- Everything comes from hashes of row numbers, so that every machine gets the same rows; nothing here asks the clock.
-- What the checks lean on: one customer dwarfs all others; the nightly run gives hundreds of invoices the same created_at;
-- a few invoices were imported late, so ids are not in the order of time; due dates repeat; numbers come in mixed case;
-- nearly everything is paid.

-- With the commit on disk, the VACUUM that follows can mark pages as visible to all: index-only scans rest on that.
SET synchronous_commit = on;

-- A number in [0, 1) for row `i`; `salt` makes independent columns out of the same row number.
CREATE FUNCTION pg_temp.chance(i bigint, salt integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (hashint8extended(i, salt) & 1073741823) / 1073741824.0::double precision;

-- Constraints are set aside while rows stream in and are put back afterwards, checked against all rows: four times as
-- fast, and their indexes come out compact.
CREATE TEMPORARY TABLE set_aside AS
SELECT conrelid::regclass::text AS owner, conname AS name, pg_get_constraintdef(oid) AS definition, contype AS kind
FROM pg_constraint
WHERE conrelid IN ('invoices'::regclass, 'invoice_lines'::regclass, 'payments'::regclass) AND contype IN ('p', 'u', 'f');

DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT * FROM set_aside ORDER BY kind <> 'f' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', item.owner, item.name);
    END LOOP;
END $$;

-- 25 tenants; the first has a third of the customers, the last a handful.
INSERT INTO tenants (name, currency, created_at)
SELECT (ARRAY['Harbour', 'Linden', 'Granite', 'Meadow', 'Copper'])[1 + (t - 1) / 5] || ' '
           || (ARRAY['Facilities', 'Telecom', 'Energy', 'Logistics', 'Software'])[1 + (t - 1) % 5],
       (ARRAY['EUR', 'EUR', 'USD', 'CHF', 'GBP'])[1 + t % 5],
       timestamptz '2023-06-01 08:00+00' + t * interval '1 hour'
FROM generate_series(1, 25) AS t
ORDER BY t;

INSERT INTO customers (tenant_id, name, email, created_at)
SELECT CASE WHEN c = whale.id THEN 1 ELSE 1 + floor(25 * power(pg_temp.chance(c, 1), 3)) END,
       CASE WHEN c = whale.id THEN 'Octavia Retail Group' ELSE 'Customer ' || c END,
       'accounts+' || c || '@customer.example',
       timestamptz '2023-06-02 08:00+00' + c * interval '30 seconds'
FROM generate_series(1, current_setting('octo.customers')::bigint) AS c,
     (SELECT current_setting('octo.customers')::bigint * 37 / 100 AS id) AS whale
ORDER BY c;

-- Invoices stand in the order in which they were written. Row i belongs to day i / n of the three years; the first 70 %
-- of a day are its nightly run, one transaction and therefore one created_at. Every 200th or so is a late import.
-- (OFFSET 0 keeps the planner from computing a column once for every place that mentions it.)
SET work_mem = '256MB';

INSERT INTO invoices (id, tenant_id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at)
SELECT i,
       customers.tenant_id,
       customer_id,
       number,
       status,
       tenants.currency,
       total,
       CASE WHEN status = 'paid' THEN total WHEN status = 'sent' AND luck < 0.001 THEN total / 3 ELSE 0 END,
       CASE WHEN status IN ('paid', 'sent') THEN (instant AT TIME ZONE 'UTC')::date + terms END,
       instant
FROM (
    SELECT i,
           luck,
           instant,
           CASE WHEN i * whale % invoices < whale THEN customers * 37 / 100
                ELSE 1 + floor(customers * power(pg_temp.chance(i, 2), 1.5))::bigint END AS customer_id,
           (ARRAY['INV-', 'INV-', 'Inv-', 'inv-', 'RE-', 'Re-'])[1 + floor(6 * pg_temp.chance(i, 3))::integer]
               || lpad(i::text, 7, '0') || CASE WHEN pg_temp.chance(i, 4) < 0.3 THEN '-Kx' ELSE '' END AS number,
           CASE WHEN instant < timestamptz '2026-05-17 00:00+00' THEN
                    CASE WHEN luck < 0.010 THEN 'sent' WHEN luck < 0.015 THEN 'void' WHEN luck < 0.016 THEN 'draft' ELSE 'paid' END
                ELSE
                    CASE WHEN luck < 0.50 THEN 'sent' WHEN luck < 0.52 THEN 'void' WHEN luck < 0.56 THEN 'draft' ELSE 'paid' END
           END AS status,
           (1 + floor(9 * pg_temp.chance(i, 5)))::bigint * (990 + floor(90000 * pg_temp.chance(i, 6)))::bigint AS total,
           (ARRAY[14, 30, 30, 45])[1 + floor(4 * pg_temp.chance(i, 7))::integer] AS terms
    FROM (SELECT current_setting('octo.invoices')::bigint AS invoices,
                 current_setting('octo.customers')::bigint AS customers,
                 current_setting('octo.whale')::bigint AS whale) AS sizes,
         LATERAL generate_series(1, invoices) AS i,
         LATERAL (SELECT (i - 1) * 1096.0::double precision / invoices AS at, pg_temp.chance(i, 8) AS luck OFFSET 0) AS days,
         LATERAL (
             SELECT to_timestamp(
                 1688176800 + 86400 * floor(at) + 75600 * greatest(0, at - floor(at) - 0.7) / 0.3
                 - CASE WHEN pg_temp.chance(i, 9) < 0.005 THEN 86400 * ceil(40 * pg_temp.chance(i, 10)) ELSE 0 END
             ) AS instant OFFSET 0
         ) AS instants
    OFFSET 0
) AS drawn
JOIN customers ON customers.id = drawn.customer_id
JOIN tenants ON tenants.id = customers.tenant_id;

SELECT setval(pg_get_serial_sequence('invoices', 'id'), max(id)) FROM invoices;

-- Old invoices kept only their totals; every 21st still has its line, and some have the payments that were booked.
INSERT INTO invoice_lines (invoice_id, position, description, quantity, unit_price_cents)
SELECT id, 1, 'Services as agreed', quantity, total_cents / quantity
FROM invoices, LATERAL (SELECT (1 + floor(9 * pg_temp.chance(id, 5)))::integer AS quantity) AS drawn
WHERE id % 21 = 0;

INSERT INTO payments (invoice_id, amount_cents, received_at)
SELECT id, paid_cents, created_at + interval '12 days'
FROM invoices
WHERE paid_cents > 0 AND (status = 'sent' OR id % 50 = 0);

UPDATE tenants SET last_invoice_number = current_setting('octo.invoices')::bigint;

DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT * FROM set_aside ORDER BY kind = 'f' LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', item.owner, item.name, item.definition);
    END LOOP;
END $$;
DROP TABLE set_aside;
