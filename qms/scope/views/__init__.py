"""Pages of the organisation, its processes, and the scope; one file a subject."""
