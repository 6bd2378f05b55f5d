"""Pages of gap assessments by subject: assessments, answers, roadmap, readiness."""
