-- PgBouncer refuses start-up options, so the limits that settings.py sends to an embedded server stand on the role here.
ALTER ROLE CURRENT_USER SET statement_timeout = '15s';
ALTER ROLE CURRENT_USER SET lock_timeout = '4s';
ALTER ROLE CURRENT_USER SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE CURRENT_USER SET timezone = 'UTC';
