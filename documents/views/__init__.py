"""Pages of documents; one file a subject."""
