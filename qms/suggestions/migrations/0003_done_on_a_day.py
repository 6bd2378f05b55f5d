"""What was put into practice before the day was kept gets the day from its history."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

COLUMNS = (
    "id, created_by_id, recorded_at, version, number, title, details, status, answer,"
    " decided_by_id, decided_on, done_on"
)
FILL = f"""
UPDATE suggestions_suggestion AS s
   SET done_on = (h.history_date AT TIME ZONE 'UTC')::date, version = s.version + 1
  FROM (SELECT id, min(history_date) AS history_date
          FROM suggestions_historicalsuggestion WHERE status = 'done' GROUP BY id) AS h
 WHERE h.id = s.id AND s.status = 'done' AND s.done_on IS NULL;
INSERT INTO suggestions_historicalsuggestion
       ({COLUMNS}, history_date, history_change_reason, history_type, history_user_id)
SELECT {COLUMNS}, now(), 'The day it was put into practice, from its history.', '~',
       (SELECT min(id) FROM people_person WHERE is_system)
  FROM suggestions_suggestion AS s
 WHERE s.version > (SELECT max(h.version) FROM suggestions_historicalsuggestion AS h
                     WHERE h.id = s.id);
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("suggestions", "0002_votes")]

    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="suggestion",
            constraint=models.CheckConstraint(
                condition=models.Q(("status", "done"), _negated=True)
                | models.Q(("done_on__isnull", False)),
                name="suggestions_done_on_a_day",
            ),
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='suggestion',
            name='keeps_its_path',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='suggestion',
            trigger=pgtrigger.compiler.Trigger(name='keeps_its_path', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n            IF TG_OP = \'INSERT\' THEN\n                IF NEW."status" <> \'received\' THEN\n                    RAISE EXCEPTION \'A row of suggestions_suggestion starts as %, not as %.\', \'received\', NEW."status"\n                      USING ERRCODE = \'integrity_constraint_violation\';\n                END IF;\n                RETURN NEW;\n            END IF;\n            IF OLD."status" <> NEW."status" AND (OLD."status", NEW."status") NOT IN ((\'received\', \'declined\'), (\'received\', \'taken_up\'), (\'taken_up\', \'declined\'), (\'taken_up\', \'done\')) THEN\n                RAISE EXCEPTION \'A row of suggestions_suggestion cannot go from % to %.\', OLD."status", NEW."status"\n                  USING ERRCODE = \'integrity_constraint_violation\';\n            END IF;\n            \n            IF OLD."status" IN (\'declined\', \'done\', \'taken_up\')\n               AND ROW(OLD."answer", OLD."details", OLD."title") IS DISTINCT FROM ROW(NEW."answer", NEW."details", NEW."title") THEN\n                RAISE EXCEPTION \'A row of suggestions_suggestion that is % keeps its content.\', OLD."status"\n                  USING ERRCODE = \'integrity_constraint_violation\';\n            END IF;\n        \n            RETURN NEW;\n        ', hash='fcef6e3fe92d5e38850106dd2a7253d00cb47e7d', operation='INSERT OR UPDATE', pgid='pgtrigger_keeps_its_path_eb8ba', table='suggestions_suggestion', when='BEFORE')),
        ),
    ]
