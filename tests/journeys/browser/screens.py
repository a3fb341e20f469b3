"""The screens on which pages are searched for barriers."""

import pytest

# The narrow and dark one, where most barriers arise, by default; `make faults` tries the others too.
SCREENS = [
    pytest.param(1440, "light", id="wide-light", marks=pytest.mark.slow),
    pytest.param(390, "dark", id="phone-dark"),
    pytest.param(1440, "dark", id="wide-dark", marks=pytest.mark.slow),
    pytest.param(390, "light", id="phone-light", marks=pytest.mark.slow),
]
