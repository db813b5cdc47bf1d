-- Takes the journal's tables away from the application's role (the owner of the
-- database), which then may read and append, and can no longer drop the triggers or
-- the tables. Run it as a superuser, in Odoo's database:  psql -d odoo -f journal_owner.sql
-- docs/journal.md says before what it must be taken back, and how.
DO $$
DECLARE
    app regrole;
    home regnamespace;
    name text;
BEGIN
    SELECT datdba INTO app FROM pg_database WHERE datname = current_database();
    SELECT relnamespace INTO home FROM pg_class WHERE oid = 'amazon_audit_entry'::regclass;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'amazon_journal_owner') THEN
        CREATE ROLE amazon_journal_owner NOLOGIN;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE oid = app AND (rolsuper OR rolcreaterole)) THEN
        RAISE WARNING 'The role % is a superuser or may create roles: nothing is kept from it.', app;
    END IF;
    -- Who owns a schema may drop everything in it. From PostgreSQL 15 on, that is the
    -- owner of the database.
    EXECUTE format('ALTER SCHEMA %s OWNER TO amazon_journal_owner', home);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %s TO %s', home, app);
    FOREACH name IN ARRAY ARRAY[
        'amazon_audit_entry', 'amazon_audit_link', 'amazon_audit_anchor'
    ] LOOP
        EXECUTE format('ALTER TABLE %I OWNER TO amazon_journal_owner', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO %s', name, app);
        EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %I TO %s', name || '_id_seq', app);
    END LOOP;
    ALTER FUNCTION amazon_audit_refuse() OWNER TO amazon_journal_owner;
END $$;
