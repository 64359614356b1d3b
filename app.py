"""Entry point: the router, and the server's start-up when it is run as an application."""

import streamlit as st

from pages._ui.chart_library import ROUTES
from pages._ui.server import lifespan
from pages._ui.shell import route

app = st.App("app.py", lifespan=lifespan, routes=ROUTES)

if __name__ == "__main__":
    route()
