"""`python -m imconnect`, and the `imconnect` command."""

from imconnect.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
