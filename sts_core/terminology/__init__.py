"""Names and grades of adverse events: CTCAE, its synonyms, and how a cell writes them."""
