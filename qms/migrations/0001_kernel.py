"""The database's clock, the demo mark and the number series (see qms/clock.py, qms/numbering.py)."""

from django.db import migrations

FORWARD = """
CREATE TABLE qms_demo (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row));

CREATE FUNCTION qms_demo_only_when_empty() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    history text;
    found bigint;
    total bigint := 0;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'A demo database stays one.';
    END IF;
    FOR history IN
        SELECT c.oid::regclass::text FROM pg_class c
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'history_id'
         WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
    LOOP
        EXECUTE 'SELECT count(*) FROM ' || history INTO found;
        total := total + found;
    END LOOP;
    IF total > 1 THEN  -- the system person may be there already
        RAISE EXCEPTION 'Only an empty database becomes a demo.';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER qms_demo_only_when_empty BEFORE INSERT OR UPDATE OR DELETE ON qms_demo
    FOR EACH ROW EXECUTE FUNCTION qms_demo_only_when_empty();

CREATE FUNCTION qms_is_demo() RETURNS boolean LANGUAGE sql STABLE AS
    'SELECT EXISTS (SELECT FROM qms_demo)';

CREATE FUNCTION qms_become_demo() RETURNS void LANGUAGE sql AS
    'INSERT INTO qms_demo DEFAULT VALUES ON CONFLICT DO NOTHING';

CREATE FUNCTION qms_is_lived() RETURNS boolean LANGUAGE sql STABLE AS
    $$SELECT coalesce(current_setting('qms.clock', true), '') <> '' AND qms_is_demo()$$;

CREATE FUNCTION qms_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN qms_is_lived() THEN current_setting('qms.clock')::timestamptz
                ELSE clock_timestamp() END
$$;

CREATE TABLE qms_number_series (series text PRIMARY KEY, last bigint NOT NULL CHECK (last > 0));
"""

BACKWARD = """
DROP TABLE qms_number_series;
DROP FUNCTION qms_now();
DROP FUNCTION qms_is_lived();
DROP FUNCTION qms_become_demo();
DROP FUNCTION qms_is_demo();
DROP TABLE qms_demo;
DROP FUNCTION qms_demo_only_when_empty();
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
