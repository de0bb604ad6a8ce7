"""Marks for tests that need simavr and avr-gcc."""

import pytest

from smidgen.emulate.emulators import why_not_at_hand
from smidgen.targets.catalogue import core

_MISSING = why_not_at_hand(core("avr"))
needs_avr = pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "-")
