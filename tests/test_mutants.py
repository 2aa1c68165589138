from __future__ import annotations

import pytest
from mutants import every_fault
from mutants.fault import ROOT, Fault


@pytest.mark.parametrize("fault", every_fault(), ids=str)
def test_a_fault_can_be_planted_where_it_says(fault: Fault) -> None:
    compile(fault.planted(), fault.file, "exec")
    assert all((ROOT / name.partition("::")[0]).exists() for name in fault.tests.split())
