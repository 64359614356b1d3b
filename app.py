"""Entry point: the router, and the server's start-up when it is run as an application."""

import streamlit as st

from pages._server.chart_library import ROUTES
from pages._server.startup import first_page_is_sent, lifespan, wait_for_imports

app = st.App("app.py", lifespan=lifespan, routes=ROUTES)

if __name__ == "__main__":
    wait_for_imports()
    from pages._ui.shell import route

    try:
        route()
    finally:
        first_page_is_sent()
