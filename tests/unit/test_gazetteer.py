from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout.normalise.gazetteer import FILE, Named, Town, find, folded


def test_every_name_of_the_file_is_found_and_the_file_is_sorted() -> None:
    names = [line.partition(b"\t")[0] for line in FILE.read_bytes().splitlines()]
    assert names == sorted(set(names))
    assert len(names) > 30_000
    for name in [names[0], *names[:: len(names) // 500], names[-1]]:
        assert find(name.decode()) != Named(), name


@given(st.text(max_size=30))
def test_any_other_name_stands_for_nothing_and_raises_nothing(name: str) -> None:
    found = find(f"{name} no such place")
    assert found == Named()
    find(folded(name))


def test_a_name_tells_its_country_its_regions_and_its_towns_by_size() -> None:
    assert find("deutschland").country == find("germany").country == find("deu").country == "DE"
    assert find("georgia").country == "GE"
    assert ("US", "GA") in find("georgia").regions
    dublin = find("dublin").towns
    assert dublin[0].country == "IE"
    assert Town("US", "OH", dublin[[town.state for town in dublin].index("OH")].people) in dublin
    assert [town.people for town in dublin] == sorted((town.people for town in dublin), reverse=True)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("D\u00fcsseldorf", "dusseldorf"),
        ("St. John\u2019s", "st johns"),
        ("\u0141\u00f3d\u017a", "lodz"),
        ("Aix-en-Provence", "aix en provence"),
        ("U.S.A.", "usa"),
        ("Stra\u00dfe", "strasse"),
        ("\u6771\u4eac", "\u6771\u4eac"),
        ("", ""),
    ],
)
def test_names_are_folded_for_comparison(written: str, kept: str) -> None:
    assert folded(written) == kept
