"""A gate in a database: a session that comes to a closed point waits there, even if the server is stopped."""

from waiting import eventually

MAKE = """
    CREATE SCHEMA gate;
    CREATE TABLE gate.closed (point text PRIMARY KEY);
    CREATE FUNCTION gate.pass(point text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      WHILE EXISTS (SELECT FROM gate.closed AS c WHERE c.point = pass.point) LOOP
        PERFORM pg_sleep(0.01);
      END LOOP;
    END $$;
    CREATE FUNCTION gate.at_command() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM gate.pass(CASE WHEN current_query() LIKE 'CREATE UNIQUE INDEX CONCURRENTLY %' THEN 'index build' ELSE tg_tag END);
    END $$;
    CREATE FUNCTION gate.at_row() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM gate.pass('row');
      RETURN NEW;
    END $$;
    CREATE EVENT TRIGGER gate ON ddl_command_start EXECUTE FUNCTION gate.at_command()"""
WAITING = """
    SELECT count(*) > 0 FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'socialsync migrate' AND wait_event = 'PgSleep'"""


class Gate:
    """Points are the tags of commands (`ALTER TABLE`), `index build`, and `row`: an update of the one of at_row()."""

    def __init__(self, database):
        self._database = database
        database.sql(MAKE)

    def close(self, point):
        self._database.sql(f"INSERT INTO gate.closed VALUES ('{point}')")

    def open(self, point):
        self._database.sql(f"DELETE FROM gate.closed WHERE point = '{point}'")

    def at_row(self, account):
        self._database.sql(f"""CREATE TRIGGER gate BEFORE UPDATE ON social_accounts FOR EACH ROW
                               WHEN (OLD.id = '{account}') EXECUTE FUNCTION gate.at_row()""")

    def wait(self):
        """Until the migration stands at a closed point."""
        eventually(lambda: self._database.sql(WAITING) == "t")

    def remove(self):
        """Removes the gate from the database."""
        self._database.sql("DROP EVENT TRIGGER gate; DROP TRIGGER IF EXISTS gate ON social_accounts; DROP SCHEMA gate CASCADE")
