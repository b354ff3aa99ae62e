-- Customers get an address, and creating requests can be repeated safely.

ALTER TABLE customers ADD COLUMN address jsonb CHECK (jsonb_typeof(address) = 'object');

-- The answer that a creating request got under its Idempotency-Key. Rows, because several web processes run at once and
-- each is restarted now and then. The key is taken in the transaction that creates, so both are there or neither is.
CREATE TABLE idempotency_keys (
    tenant_id   bigint NOT NULL REFERENCES tenants (id),
    key         text NOT NULL CHECK (key <> ''),
    -- SHA-256 of method, path and body: another request under the same key is a mistake of the caller's.
    fingerprint bytea NOT NULL,
    location    text,
    body        text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
