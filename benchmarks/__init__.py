"""How fast it is, beside R and beside a bare page: ``python -m benchmarks``."""
