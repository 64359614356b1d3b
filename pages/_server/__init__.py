"""What the server needs before it answers; it loads neither the core nor the pages."""
