-- The roles of CONTRACT.md for use by hand: what compose/roles.py makes for a grade, with passwords that are no secret.
SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY['billing_owner', 'billing_app']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE octo_grader PASSWORD 'octo_lab';
ALTER ROLE billing_owner LOGIN PASSWORD 'octo_lab';
ALTER ROLE billing_app PASSWORD 'octo_lab';
SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = 'billing') AS empty \gset
\if :empty
  CREATE DATABASE billing OWNER billing_owner;
  REVOKE ALL ON DATABASE billing FROM PUBLIC;
  GRANT CONNECT ON DATABASE billing TO billing_app;
  \connect billing
  ALTER DEFAULT PRIVILEGES FOR ROLE billing_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO billing_app;
  ALTER DEFAULT PRIVILEGES FOR ROLE billing_owner GRANT USAGE, SELECT ON SEQUENCES TO billing_app;
  ALTER DEFAULT PRIVILEGES FOR ROLE billing_owner GRANT USAGE ON SCHEMAS TO billing_app;
\endif
