"""What is installed has the data and says whose it is."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from hatchling.builders.wheel import WheelBuilder

from guardray.geo import shipped

ROOT = Path(__file__).resolve().parents[2]


def test_a_wheel_has_the_data_and_its_attribution(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    packed = set(ZipFile(wheel).namelist())
    assert {f"guardray/geo/data/{path.name}" for path in shipped.DATA.iterdir()} <= packed
    assert "guardray/geo/data/ATTRIBUTION.md" in packed
