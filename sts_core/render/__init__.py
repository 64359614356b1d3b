"""One renderer a medium; none of them knows an analysis."""
