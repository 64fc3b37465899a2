"""Cells of tables that spreadsheets open."""


def inert(text: str) -> str:
    """The text, behind a quote where a spreadsheet would take it for a formula (OWASP, "CSV Injection")."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
