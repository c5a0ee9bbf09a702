"""Fixtures of the provisioning tests."""

import pytest

from audit.actors import Actor


@pytest.fixture
def actor():
    """An administrator who acts."""
    return Actor("administrator", "1", "ana")
