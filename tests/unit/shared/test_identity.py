"""Ids that two sides compute alike."""

import unicodedata

from shared.contracts.identity import account_id_of, rep_id_of


def test_one_name_has_one_id_in_either_unicode_form():
    """A CRM that decomposes its umlauts must not book its facts on an account that nobody knows."""
    composed, decomposed = "M\u00fcller", unicodedata.normalize("NFD", "M\u00fcller")
    assert composed != decomposed
    assert account_id_of(composed) == account_id_of(f" {decomposed} ")
    assert rep_id_of(composed) == rep_id_of(decomposed)
