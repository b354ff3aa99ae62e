-- The rows of lesson-08: three tenants, and a rule of somebody else's that makes some writes fail in a way nobody foresaw.
--
-- Sizes: octo.customers (of each tenant).
-- What the checks lean on: a customer whose name begins with `Embargo ` is a 500. What Postgres says then has the customer's
-- e-mail address in its message and the whole row in its DETAIL, as messages of databases do.

SET synchronous_commit = on;

ALTER TABLE tenants ALTER COLUMN id RESTART WITH 4;
INSERT INTO tenants (id, name, currency)
VALUES (1, 'Octavia Retail', 'EUR'), (2, 'Nordwind Logistics', 'USD'), (3, 'Papierwerk', 'EUR');

INSERT INTO customers (id, tenant_id, name, email)
SELECT 1000 * tenant + at, tenant, 'Customer ' || at, 'c' || at || '@tenant-' || tenant || '.example'
FROM generate_series(1, 3) AS tenant, generate_series(1, current_setting('octo.customers')::bigint) AS at;
ALTER TABLE customers ALTER COLUMN id RESTART WITH 5000;

CREATE FUNCTION public.screening() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.name LIKE 'Embargo %' THEN
        RAISE EXCEPTION 'screening_list entry % matches %', md5(NEW.name), NEW.email
            USING DETAIL = 'Failing row contains ' || NEW::text;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER screening BEFORE INSERT OR UPDATE ON public.customers FOR EACH ROW EXECUTE FUNCTION public.screening();
