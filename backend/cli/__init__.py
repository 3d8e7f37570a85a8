"""The `dropscope` command."""

from backend.cli.app import main

__all__ = ["main"]
