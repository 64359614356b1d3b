"""Pages of the app: inputs, spec, result, show."""
