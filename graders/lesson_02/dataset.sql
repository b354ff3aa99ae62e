-- The rows of lesson-02: a small billing service on an ordinary morning. Sizes: octo.tenants, octo.customers (of each tenant).
--
-- Nothing here is random and nothing asks the clock, so every machine gets the same rows. Of each tenant's customers
-- every third has no invoices yet; the others have four, one of each status; the last has many, some of one moment.

INSERT INTO tenants (name, currency, created_at)
SELECT 'Tenant ' || t, (ARRAY['EUR', 'USD', 'CHF', 'GBP'])[1 + (t - 1) % 4],
       timestamptz '2025-06-01 08:00+00' + t * interval '1 hour'
FROM generate_series(1, current_setting('octo.tenants')::integer) AS t
ORDER BY t;

INSERT INTO customers (tenant_id, name, email, created_at)
SELECT 1 + (c - 1) % current_setting('octo.tenants')::integer,
       (ARRAY['Harbour Stationers', 'Linden Telecom', 'Granite Works', 'Meadow Dairy', 'Copper & Sons'])[1 + c % 5] || ' ' || c,
       'accounts+' || c || '@customer.example',
       timestamptz '2025-06-02 08:00:00.000007+00' + c * interval '37.000011 seconds'
FROM generate_series(1, current_setting('octo.tenants')::integer * current_setting('octo.customers')::integer) AS c
ORDER BY c;

-- The customer's place among those of its tenant, from 1.
CREATE TEMPORARY VIEW placed AS
SELECT customers.*, row_number() OVER (PARTITION BY tenant_id ORDER BY id) AS place FROM customers;

CREATE TEMPORARY TABLE plan AS
SELECT placed.tenant_id, placed.id AS customer_id, n,
       (ARRAY['draft', 'sent', 'paid', 'void'])[1 + n % 4] AS status,
       1000 * (1 + (placed.id * 7 + n * 13) % 90) AS total_cents,
       timestamptz '2025-07-01 02:00:00.000013+00' + (n / 3) * interval '1 day' AS created_at
FROM placed,
     generate_series(0, CASE WHEN place = current_setting('octo.customers')::integer THEN 46 ELSE 3 END) AS n
WHERE place % 3 <> 0 OR place = current_setting('octo.customers')::integer
ORDER BY created_at, placed.id, n;

INSERT INTO invoices (tenant_id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at)
SELECT tenant_id, customer_id, 'INV-' || lpad((row_number() OVER (PARTITION BY tenant_id))::text, 6, '0'),
       status, currency, total_cents, CASE status WHEN 'paid' THEN total_cents ELSE 0 END,
       CASE WHEN status IN ('sent', 'paid') THEN date '2025-08-01' + n END, plan.created_at
FROM plan JOIN tenants ON tenants.id = tenant_id;

INSERT INTO invoice_lines (invoice_id, position, description, quantity, unit_price_cents)
SELECT id, 1, 'Services as agreed', total_cents / 1000, 1000 FROM invoices ORDER BY id;

INSERT INTO payments (invoice_id, amount_cents, received_at)
SELECT id, paid_cents, created_at + interval '9 days' FROM invoices WHERE status = 'paid' ORDER BY id;

UPDATE tenants SET last_invoice_number = (SELECT count(*) FROM invoices WHERE tenant_id = tenants.id);

-- Legal's screening list, which the service knows nothing of: a name that begins so is refused by the database itself.
CREATE FUNCTION public.screening() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.name LIKE 'Embargo %' THEN
        RAISE EXCEPTION 'screening_list row % on legal-db-2.internal matches', md5(NEW.name);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER screening BEFORE INSERT OR UPDATE ON public.customers FOR EACH ROW EXECUTE FUNCTION public.screening();

-- And the auditors' rule for invoices that are held in escrow, of which not even the lesson tells.
CREATE FUNCTION public.escrow() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.number LIKE 'Escrow %' THEN
        RAISE division_by_zero USING MESSAGE = format('escrow_rules row %s on books-db-1.internal is closed', md5(NEW.number));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER escrow BEFORE INSERT ON public.invoices FOR EACH ROW EXECUTE FUNCTION public.escrow();
