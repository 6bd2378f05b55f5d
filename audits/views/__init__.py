"""Pages of audits, findings and certificates."""
