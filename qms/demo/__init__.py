"""Demo companies: three years of a believable company, lived with the domain's functions."""
