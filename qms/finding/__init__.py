"""Finding: one index of the words of all records that chapters make findable (ISO 9001 7.5.3.1)."""
