"""Pages of nonconformities and their corrective action."""
