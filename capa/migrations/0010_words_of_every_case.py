from django.db import migrations

# Until now they were kept when cases were compared; from now on with every save of a case.
KEEP = """
INSERT INTO capa_casewords (nonconformity_id, version, told, cause)
SELECT n.id, n.version,
       to_tsvector('english', left(concat_ws(' ', n.title, n.statement, n.evidence), 40000)),
       to_tsvector('english', left(n.root_cause, 40000))
  FROM capa_nonconformity AS n
ON CONFLICT (nonconformity_id)
DO UPDATE SET version = excluded.version, told = excluded.told, cause = excluded.cause
"""


class Migration(migrations.Migration):

    dependencies = [
        ("capa", "0009_nonconformities_of_providers"),
    ]

    operations = [
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
    ]
