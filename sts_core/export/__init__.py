"""Results into files; each writer knows tables and figures, and no analysis."""
