"""The demo's map: the country cut into patches that are whole, apart and balanced."""

from collections import Counter
from itertools import chain

from deploy.demo.geography import DATA
from deploy.demo.organisation import Organisation
from deploy.demo.regions import AREA_OF_STATE, REGION_OF_AREA, share_out
from deploy.demo.tree import ROOT


def test_the_tree_has_four_regions_twelve_areas_and_sixty_territories(organisation: Organisation):
    parents = {territory.territory_id: territory.parent_id for territory in organisation.territories}
    depth = Counter(_depth(territory, parents) for territory in parents)
    kinds = Counter(territory.kind for territory in organisation.territories)

    assert organisation.territories[0].name == ROOT
    # Named account territories hang from a region, beside its areas.
    assert depth == {0: 1, 1: 4, 2: 12 + 4, 3: 56}
    assert kinds["named_account"] == 4
    assert len(REGION_OF_AREA) == 12
    assert len(AREA_OF_STATE) == 51


def test_names_and_codes_tell_territories_apart(organisation: Organisation):
    assert len({territory.name for territory in organisation.territories}) == 77
    assert len({territory.code for territory in organisation.territories}) == 77
    assert {"Los Angeles East, CA", "Los Angeles West, CA"} < {patch.name for patch in organisation.patches}


def test_every_county_and_postal_code_lies_in_one_patch(organisation: Organisation):
    counties = list(chain.from_iterable(patch.counties for patch in organisation.patches))
    codes = list(chain.from_iterable(patch.postal_codes for patch in organisation.patches))
    cut = {county.fips for county in organisation.counties} - set(counties)
    of_cut = [p.postal_code for c in organisation.counties if c.fips in cut for p in c.places]

    assert len(counties) == len(set(counties))
    assert sorted(codes) == sorted(of_cut)
    assert 2 <= len(cut) <= 10


def test_patches_are_balanced_by_labour_force(organisation: Organisation):
    forces = [patch.labor_force for patch in organisation.patches]
    mean = sum(forces) / len(forces)
    assert min(forces) / mean > 0.7
    assert max(forces) / mean < 1.25


def test_patches_keep_together_what_lies_together(organisation: Organisation):
    """A patch of whole states' width would still be balanced; a compact one is what a rep can travel."""
    for patch in organisation.patches:
        latitudes = [p.latitude for p in patch.places if p.state not in {"AK", "HI"}]
        assert max(latitudes) - min(latitudes) < 13, patch.name


def test_shares_add_up_to_the_whole():
    assert share_out(7, {"a": 10, "b": 10, "c": 1}) == {"a": 4, "b": 3, "c": 0}
    assert sum(share_out(56, {"x": 1, "y": 2, "z": 4}).values()) == 56


def test_the_data_carries_its_licence():
    notice = (DATA / "NOTICE.md").read_text(encoding="utf-8")
    assert "GeoNames (geonames.org)" in notice
    assert "CC BY 4.0" in notice
    assert "Bureau of Labor Statistics" in notice
    for file in DATA.glob("*.gz"):
        assert file.name in notice


def _depth(territory: object, parents: dict) -> int:
    parent = parents[territory]
    return 0 if parent is None else 1 + _depth(parent, parents)
