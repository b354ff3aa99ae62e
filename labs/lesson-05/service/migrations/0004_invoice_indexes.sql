-- migrate: no-transaction
--
-- One index for each of the four reads that people wait for (billing/storage/invoice_reads.py).
-- CONCURRENTLY lets others write to the table while an index is built; Postgres refuses it inside a transaction.
-- A concurrent build that fails leaves an invalid index behind, which costs writes and serves nobody. So each
-- index is dropped before it is built: the file can be run again from the top, whatever happened the last time.

-- A customer's newest invoices, page by page: equality first, then exactly the order of the list.
DROP INDEX CONCURRENTLY IF EXISTS invoices_customer_newest;
CREATE INDEX CONCURRENTLY invoices_customer_newest
    ON invoices (customer_id, created_at DESC, id DESC);

-- The collections desk's overdue list. Few invoices are open, so the index holds only those.
DROP INDEX CONCURRENTLY IF EXISTS invoices_overdue;
CREATE INDEX CONCURRENTLY invoices_overdue
    ON invoices (tenant_id, due_on, id) WHERE status = 'sent';

-- Look-up by number without regard to case; also keeps 'inv-7' from existing beside 'INV-7'.
DROP INDEX CONCURRENTLY IF EXISTS invoices_number_ci;
CREATE UNIQUE INDEX CONCURRENTLY invoices_number_ci
    ON invoices (tenant_id, lower(number));

-- A customer's balance, answered from the index alone.
DROP INDEX CONCURRENTLY IF EXISTS invoices_open_by_customer;
CREATE INDEX CONCURRENTLY invoices_open_by_customer
    ON invoices (customer_id) INCLUDE (total_cents, paid_cents) WHERE status = 'sent';

-- Until now the planner had never counted lower(number): an expression has statistics only once it is indexed.
ANALYZE invoices;
