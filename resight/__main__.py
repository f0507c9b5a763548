"""`python -m resight` is `resight`."""

from resight.main import app

if __name__ == "__main__":
    app()
