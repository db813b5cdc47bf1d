-- Takes the journal's tables away from the application's role (the owner of the
-- database), which then may read and append, and can no longer drop the triggers.
-- Run it once, as a superuser, in Odoo's database:  psql -d odoo -f journal_owner.sql
DO $$
DECLARE
    app regrole;
    name text;
BEGIN
    SELECT datdba INTO app FROM pg_database WHERE datname = current_database();
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'amazon_journal_owner') THEN
        CREATE ROLE amazon_journal_owner NOLOGIN;
    END IF;
    FOREACH name IN ARRAY ARRAY[
        'amazon_audit_entry', 'amazon_audit_link', 'amazon_audit_anchor'
    ] LOOP
        EXECUTE format('ALTER TABLE %I OWNER TO amazon_journal_owner', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO %s', name, app);
        EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %I TO %s', name || '_id_seq', app);
    END LOOP;
    ALTER FUNCTION amazon_audit_refuse() OWNER TO amazon_journal_owner;
END $$;
