"""The kinds of personal data that are told apart."""

from typing import Literal

Kind = Literal["email", "phone", "card", "id", "name"]
"""card: bank cards and accounts (IBAN). id: Chinese and US identity numbers, passports."""

Span = tuple[Kind, int, int]
"""Kind, first character, one past the last."""
