"""What a corrective action may answer beside nonconformities: a trend, a risk, an analysis."""

# By name: some of these chapters stand above this one, which must not import them.
ORIGINS = ("risks.Risk", "objectives.Indicator", "objectives.Analysis")
