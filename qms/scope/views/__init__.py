"""Pages of the organisation, its processes, and the scope of the system; one file a subject."""
