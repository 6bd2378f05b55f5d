"""Pages of indicators, readings, objectives and sheets of readings; one file a subject."""
