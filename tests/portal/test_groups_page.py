"""«Grupos»: the list and the page of one with its members."""

import pytest
from django.test import Client
from django.urls import reverse

LIST = "/grupos/"


def text_of(client, url=LIST, **more):
    response = client.get(url, **more)
    assert response.status_code == 200
    return response.content.decode().replace("<wbr>", "")


def page_of(group):
    return reverse("portal:group", args=[group.pk])


def test_the_list_shows_groups_with_their_size(auditor_page, entra, grouped, luis):
    grouped(entra, "Ventas", luis)
    grouped(entra, "Vacío")
    text = text_of(auditor_page)
    assert 'class="numeric">1</td>' in text
    assert 'class="numeric">0</td>' in text
    assert "2 grupos" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=ventas", {"Ventas Madrid"}),
        ("?q=mad", {"Ventas Madrid"}),
        ("?idp=okta", {"Everyone"}),
        ("?idp=okta&q=ventas", set()),
        ("?idp=nobody", {"Ventas Madrid", "Everyone"}),
    ],
)
def test_filters_find(auditor_page, entra, okta, grouped, query, expected):
    grouped(entra, "Ventas Madrid")
    grouped(okta, "Everyone")
    text = text_of(auditor_page, LIST + query)
    assert {name for name in ("Ventas Madrid", "Everyone") if f">{name}<" in text} == expected


def test_sizes_cost_one_query_however_many_groups(
    auditor_page, entra, okta, grouped, luis, selects
):
    for n in range(55):
        grouped((entra, okta)[n % 2], f"Group {n}", *([luis] if n % 2 == 0 else []))
    text_of(auditor_page)
    # session, account, permissions (2), role; count, page, sizes; the filter's IdPs
    with selects(9):
        text_of(auditor_page)


def test_the_page_shows_who_is_in_it(auditor_page, entra, grouped, luis):
    group = grouped(entra, "Ventas", luis)
    text = text_of(auditor_page, page_of(group))
    for part in ("Ventas", "Luis Pérez", "luis@example.com", "ext-Ventas", str(group.pk)):
        assert part in text
    assert reverse("portal:user", args=[luis.pk]) in text
    assert f"{reverse('audit:events')}?target={group.pk}" in text
    assert "Gestionado por Entra ID" in text


def test_members_are_paged_by_key_and_searched(
    auditor_page, entra, grouped, provisioned, luis, selects
):
    crowd = [provisioned(entra, f"user{n:03}@example.com") for n in range(59)]
    group = grouped(entra, "Todos", luis, *crowd)
    first = text_of(auditor_page, page_of(group))
    assert "60 miembros" in first
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = text_of(auditor_page, page_of(group) + older)
    ids = [str(user.pk) for user in (luis, *crowd)]
    assert all((user in first) != (user in second) for user in ids)
    found = text_of(auditor_page, f"{page_of(group)}?q=perez")
    assert str(luis.pk) in found
    assert "1 miembro" in found
    # session, account, permissions (2), role; group, count, page
    with selects(8):
        text_of(auditor_page, page_of(group))


def test_an_empty_group_says_so(auditor_page, entra, grouped):
    assert "No hay nadie en este grupo" in text_of(auditor_page, page_of(grouped(entra, "Vacío")))


def test_a_bad_cursor_shows_the_first_page(auditor_page, entra, grouped, luis):
    group = grouped(entra, "Ventas", luis)
    assert str(luis.pk) in text_of(auditor_page, f"{page_of(group)}?cursor=oxx")


def test_what_an_idp_sends_is_text_and_nothing_else(auditor_page, entra, grouped):
    evil = "<script>alert(1)</script>\"'><img src=x>"
    group = grouped(entra, evil)
    for url in (LIST, page_of(group)):
        text = text_of(auditor_page, url)
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_htmx_gets_the_results_alone(auditor_page, entra, grouped, luis):
    group = grouped(entra, "Ventas", luis)
    for url in (LIST, page_of(group)):
        text = text_of(auditor_page, url, headers={"HX-Request": "true"})
        assert "<html" not in text


def test_nobody_sees_groups_without_signing_in(entra, grouped):
    for url in (LIST, page_of(grouped(entra, "Ventas"))):
        assert Client().get(url)["Location"].startswith(reverse("portal:sign-in"))


def test_pages_change_nothing(admin_page, entra, grouped):
    for url in (LIST, page_of(grouped(entra, "Ventas"))):
        assert admin_page.post(url).status_code == 405
