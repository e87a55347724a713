-- Database, schemas and roles of the three services. Run by psql, as a superuser or as a role that may create
-- databases and roles; run it again at any time.
--
--   psql -h HOST -U ADMIN -d postgres -f deploy/postgres/roles.sql
--
-- with the six passwords in the environment (ASSIGNMENT_OWNER_PASSWORD, ASSIGNMENT_APP_PASSWORD, METRICS_...,
-- COLLAB_...) or as variables (-v assignment_owner_password=...). Another database name: -v database=NAME.
--
-- <service>_owner owns the schema and runs the migrations; <service>_app reads and writes its rows and nothing
-- else. No role sees the schema of another service.

\set ON_ERROR_STOP on
\set QUIET on
\getenv assignment_owner_password ASSIGNMENT_OWNER_PASSWORD
\getenv assignment_app_password ASSIGNMENT_APP_PASSWORD
\getenv metrics_owner_password METRICS_OWNER_PASSWORD
\getenv metrics_app_password METRICS_APP_PASSWORD
\getenv collab_owner_password COLLAB_OWNER_PASSWORD
\getenv collab_app_password COLLAB_APP_PASSWORD
\if :{?database}
\else
  \set database bailiwick
\endif
SET client_min_messages = warning;

-- Roles. Two runs at once would both find a role missing, so the second waits for the first.
SELECT pg_advisory_lock(hashtext('bailiwick roles')) \g /dev/null
CREATE TEMPORARY TABLE wanted_role (name text, service text, password text);
INSERT INTO wanted_role (name, service, password) VALUES
    ('assignment_owner', 'assignment', :'assignment_owner_password'),
    ('assignment_app', 'assignment', :'assignment_app_password'),
    ('metrics_owner', 'metrics', :'metrics_owner_password'),
    ('metrics_app', 'metrics', :'metrics_app_password'),
    ('collab_owner', 'collab', :'collab_owner_password'),
    ('collab_app', 'collab', :'collab_app_password');

SELECT format('CREATE ROLE %I', name) FROM wanted_role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
SELECT format('ALTER ROLE %I LOGIN NOINHERIT PASSWORD %L', name, password) FROM wanted_role
\gexec
-- public holds the extensions only.
SELECT format('ALTER ROLE %I SET search_path = %I, public', name, service) FROM wanted_role
\gexec
-- An administrator who is no superuser must be a member of a role to make things that the role owns.
SELECT format('GRANT %I TO CURRENT_USER WITH INHERIT TRUE, SET TRUE', name) FROM wanted_role
WHERE name LIKE '%\_owner' AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
\gexec

-- The database. Only our roles may connect to it.
SELECT format('CREATE DATABASE %I', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database"
TO assignment_owner, assignment_app, metrics_owner, metrics_app, collab_owner, collab_app;

\connect :"database"
SET client_min_messages = warning;
SELECT pg_advisory_lock(hashtext('bailiwick roles')) \g /dev/null
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
-- Periods that may not overlap (WITHOUT OVERLAPS) need it, and only an administrator may create it.
CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;

-- The schemas, and what the owner makes later is open to the app. In <service>_rebuild, empty at other times, the
-- owner builds projections anew beside the live ones (bailiwick events projection rebuild).
CREATE SCHEMA IF NOT EXISTS assignment AUTHORIZATION assignment_owner;
CREATE SCHEMA IF NOT EXISTS assignment_rebuild AUTHORIZATION assignment_owner;
GRANT USAGE ON SCHEMA assignment TO assignment_app;
ALTER DEFAULT PRIVILEGES FOR ROLE assignment_owner IN SCHEMA assignment
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO assignment_app;
ALTER DEFAULT PRIVILEGES FOR ROLE assignment_owner IN SCHEMA assignment
GRANT USAGE, SELECT ON SEQUENCES TO assignment_app;

CREATE SCHEMA IF NOT EXISTS metrics AUTHORIZATION metrics_owner;
CREATE SCHEMA IF NOT EXISTS metrics_rebuild AUTHORIZATION metrics_owner;
GRANT USAGE ON SCHEMA metrics TO metrics_app;
ALTER DEFAULT PRIVILEGES FOR ROLE metrics_owner IN SCHEMA metrics
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO metrics_app;
ALTER DEFAULT PRIVILEGES FOR ROLE metrics_owner IN SCHEMA metrics
GRANT USAGE, SELECT ON SEQUENCES TO metrics_app;

CREATE SCHEMA IF NOT EXISTS collab AUTHORIZATION collab_owner;
CREATE SCHEMA IF NOT EXISTS collab_rebuild AUTHORIZATION collab_owner;
GRANT USAGE ON SCHEMA collab TO collab_app;
ALTER DEFAULT PRIVILEGES FOR ROLE collab_owner IN SCHEMA collab
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO collab_app;
ALTER DEFAULT PRIVILEGES FOR ROLE collab_owner IN SCHEMA collab
GRANT USAGE, SELECT ON SEQUENCES TO collab_app;
