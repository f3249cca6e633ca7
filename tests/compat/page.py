"""The page that tells users what is different."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "coming-from-0.9.md"


def rows_of_page() -> set[str]:
    """The first column of the tables."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return {line.split("|")[1].strip() for line in lines if line.startswith("|")}
