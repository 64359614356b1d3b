"""Analysis core of the STS Cohort Dashboard: patient tables in, results with their reasons out.

Nothing here knows the browser. Every analysis is ``analysis(cohort, spec) -> result``.
"""

import pandas as pd

__version__ = "0.1.0"

pd.set_option("mode.copy_on_write", True)
