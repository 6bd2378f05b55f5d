"""Pages of the journey: the catalogue, the ten steps, the start-up path, the briefing."""
