"""The simulated company."""

from portal.simulator.people import fold, found


def test_the_same_seed_founds_the_same_company():
    assert found("entra", "a", 40, 3) == found("entra", "a", 40, 3)


def test_companies_of_other_seeds_and_idps_share_no_name():
    names = [
        {person.user_name for person in found(idp, seed, 200, 0).people}
        for idp in ("entra", "okta")
        for seed in ("a", "b")
    ]
    assert sum(len(each) for each in names) == len(set.union(*names)) == 800


def test_people_keep_their_number_when_the_company_grows():
    assert found("okta", "a", 50, 0).people[:20] == found("okta", "a", 20, 0).people


def test_names_carry_accents_and_addresses_do_not():
    people = found("entra", "a", 200, 0).people
    assert any(not person.display_name.isascii() for person in people)
    assert all(person.user_name.isascii() for person in people)
    assert fold("Łukasz Ñúñez-Øst") == "lukasznunezost"


def test_an_empty_company_has_empty_teams():
    assert [team.members for team in found("entra", "a", 0, 2).teams] == [(), ()]
