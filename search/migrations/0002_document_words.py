"""Full text beside the embedded engine's documents, in the database's own way.

Both tables hold text that ``search.text`` has already analysed, so the database only splits at spaces. They are not
models: no ORM speaks MATCH or @@, and only ``search.engines.embedded.words`` reads them.
"""

from django.db import migrations

CREATE = {
    # The analyser leaves ASCII letters and digits, characters beyond ASCII, and spaces: exactly what this
    # tokenizer takes for tokens and for gaps, whatever Unicode version SQLite knows.
    "sqlite": [
        "CREATE VIRTUAL TABLE search_documentwords "
        "USING fts5(generation, title, tags, description, tokenize = 'ascii')",
    ],
    "postgresql": [
        # No foreign key: Django knows nothing of this table and could not flush the one that it points to.
        "CREATE TABLE search_documentwords ("
        "document_id bigint PRIMARY KEY, "
        "generation_id bigint NOT NULL, "
        "text tsvector NOT NULL)",
        "CREATE INDEX search_documentwords_text ON search_documentwords USING gin (text)",
    ],
}


def create(apps, schema_editor):
    for statement in CREATE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE search_documentwords")


class Migration(migrations.Migration):
    dependencies = [("search", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
