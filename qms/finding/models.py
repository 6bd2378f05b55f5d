"""The index: a row for each findable record, and every word that was ever in it, for typing errors.

Derived from records with the change that causes it, and written anew at any time.
"""

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Upper

# What PostgreSQL stems; every other language is found by its words as they are written.
LANGUAGES = {"en": "english", "fr": "french", "de": "german", "es": "spanish"}


def _vector() -> models.Func:
    """The title weighs most, then the keywords, then the text.

    Every word stands in it as it is written, for who has typed half of it, and by its stem.
    """

    def of(config: str) -> str:
        weighed = (("title", "A"), ("keywords", "B"), ("words", "D"))
        return " || ".join(
            f"setweight(to_tsvector('{config}', {column}), '{weight}')"
            for column, weight in weighed
        )

    cases = " ".join(f"WHEN '{key}' THEN {of(config)}" for key, config in LANGUAGES.items())
    return models.Func(
        template=f"({of('simple')} || CASE language {cases} ELSE '' END)",
        output_field=SearchVectorField(),
    )


class Entry(models.Model):
    """What can be found of a record: its number, title, keywords and words."""

    record_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    record_id = models.PositiveBigIntegerField()
    language = models.CharField(max_length=8, default="en")
    number = models.CharField(max_length=60, blank=True)
    title = models.CharField(max_length=300)
    keywords = models.TextField(blank=True)
    words = models.TextField(blank=True)
    note = models.CharField(max_length=200, blank=True)
    url = models.CharField(max_length=200, blank=True)
    vector = models.GeneratedField(
        expression=_vector(), output_field=SearchVectorField(), db_persist=True
    )

    class Meta:
        verbose_name = "entry of the index"
        verbose_name_plural = "entries of the index"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["record_type", "record_id"], name="finding_once"),
        ]
        indexes = [
            GinIndex(fields=["vector"], name="finding_vector"),
            models.Index(Upper("number"), name="finding_number"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}".strip()


class Indexed(models.Model):
    """That all records of a kind stand in the index, as their chapter describes them now."""

    record_type = models.OneToOneField(ContentType, models.PROTECT, related_name="+")
    edition = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = "kind of record in the index"
        verbose_name_plural = "kinds of records in the index"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.record_type} {self.edition}"


class Word(models.Model):
    """A word that stands in some record, so that a mistyped one finds it."""

    word = models.CharField(max_length=60, primary_key=True)

    class Meta:
        verbose_name = "known word"
        default_permissions = ()
        indexes = [GinIndex(OpClass("word", name="gin_trgm_ops"), name="finding_word_alike")]

    def __str__(self) -> str:
        return self.word
