"""How the page of events shows what it finds: views, columns, order, filters as chips."""

import html
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from audit import columns
from audit.forms import FilterForm

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PAGE = "/auditoria/"


def text_of(client, query="", **more):
    response = client.get(f"{PAGE}{query}", **more)
    assert response.status_code == 200
    return response.content.decode()


def test_the_grouped_view_has_one_row_an_entity_and_leads_to_its_history(auditor_page, happened):
    for n in range(3):
        happened(NOON - timedelta(hours=n), label="luis", target_id="7")
    happened(NOON - timedelta(days=1), label="marta", target_id="8")
    text = text_of(auditor_page, "?view=grouped&q=user")
    rows = text.split("<tbody>")[1].split("</tbody>")[0].split("</tr>")[:-1]
    assert len(rows) == 2
    assert ">luis<" in rows[0]
    assert re.search(r'class="numeric">3<', rows[0])
    history = html.unescape(re.search(r'href="/auditoria/\?([^"]+)"', rows[0])[1])
    assert parse_qs(history) == {"q": ["user"], "view": ["expanded"], "target": ["7"]}
    assert ">marta<" not in text_of(auditor_page, f"?{history}")


def test_the_look_is_kept_when_that_was_asked_and_a_link_changes_nobodys(auditor_page, happened):
    happened()
    assert "table dense trail" in text_of(auditor_page, "?view=grouped")
    assert "Última actividad" not in text_of(auditor_page)
    response = auditor_page.get(f"{PAGE}?view=grouped&keep=1&q=luis")
    assert response["Location"] == f"{PAGE}?q=luis&view=grouped"
    assert "Última actividad" in text_of(auditor_page)
    assert "Última actividad" not in text_of(auditor_page, "?view=expanded")


def test_columns_are_chosen_in_a_form_and_kept_in_the_address(auditor_page, happened):
    happened(ip_address="203.0.113.9", user_agent="Okta", request_id="req-1")
    response = auditor_page.get(f"{PAGE}?col=time&col=address&col=name&f=name.is.luis&q=l")
    assert response["Location"] == f"{PAGE}?q=l&cols=name%2Caddress%2Ctime&f=name.is.luis"
    head = text_of(auditor_page, "?cols=time,address,name").split("<thead>")[1].split("</thead>")[0]
    assert re.findall(r">([^<>\s][^<>]*)<", head) == ["Nombre", "Dirección", "Realizado en"]
    assert columns.text_of(columns.USUAL) == ""
    assert columns.chosen("nonsense") == columns.USUAL


@pytest.mark.parametrize("key", columns.ORDER)
def test_each_column_can_be_shown_alone(auditor_page, happened, key):
    happened(ip_address="203.0.113.9", user_agent="Okta", request_id="req-1")
    head, rows = text_of(auditor_page, f"?cols={key}").split("</thead>")
    assert head.split("<thead>")[1].count("<th ") == 1
    assert rows.split("</tr>")[0].count("<td") == 1


def test_the_oldest_may_stand_first_and_pages_go_on_from_there(auditor_page, happened):
    for n in range(60):
        happened(NOON + timedelta(minutes=n), label=f"luis{n}")
    text = text_of(auditor_page, "?sort=oldest")
    assert 'aria-sort="ascending"' in text
    assert re.findall(r"\bluis(\d+)</span>", text)[:2] == ["0", "1"]
    following = html.unescape(re.search(r'rel="next" href="([^"]+)"', text)[1])
    second = text_of(auditor_page, following)
    assert re.findall(r"\bluis(\d+)</span>", second) == [str(n) for n in range(50, 60)]
    before = html.unescape(re.search(r'rel="prev" href="([^"]+)"', second)[1])
    assert "luis0</span>" in text_of(auditor_page, before)


def test_a_filter_is_added_in_two_steps_and_removed_by_its_chip(auditor_page, happened):
    happened(outcome="failure")
    text = text_of(auditor_page, "?q=luis")
    assert f"{PAGE}filtro/?q=luis&amp;column=status" in text or "column=status" in text
    form = auditor_page.get(f"{PAGE}filtro/?column=status&q=luis").content.decode()
    assert '<input type="hidden" name="q" value="luis">' in form
    assert 'value="failure"' in form
    response = auditor_page.get(
        f"{PAGE}?q=luis&column=status&operator=is&value=failure&value=success"
    )
    assert response["Location"] == f"{PAGE}?q=luis&f=status.is.failure&f=status.is.success"
    text = text_of(auditor_page, "?q=luis&f=status.is.failure")
    assert re.search(
        r'href="/auditoria/\?q=luis">\s*Estado <span class="muted">es</span> Rechazad', text
    )


def test_htmx_gets_the_second_step_alone(auditor_page, db):
    response = auditor_page.get(f"{PAGE}filtro/?column=time", headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert 'type="datetime-local"' in response.content.decode()
    assert auditor_page.get(f"{PAGE}filtro/?column=planet").status_code == 404


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("planet.is.x", "No hay tal columna: «planet»"),
        ("status.contains.x", "No se le puede preguntar esto a Estado: «contiene las palabras»"),
        ("status.is.odd", "Estado no tiene tal valor: «odd»"),
        ("number.is.x", "Esto no es un número de evento"),
        ("name.is.", "Diga qué valor"),
    ],
)
def test_a_filter_that_says_nothing_is_told_beside_it(auditor_page, happened, text, words):
    happened(label="luis")
    page = text_of(auditor_page, f"?f={text}")
    assert words in page.split("is-wrong")[1].split("</a>")[0]
    assert ">luis<" in page


def test_a_moment_is_kept_with_its_zone(auditor_page, happened):
    happened(datetime(2026, 11, 20, 9, 30, tzinfo=UTC), label="early")
    happened(datetime(2026, 11, 20, 10, 30, tzinfo=UTC), label="late")
    auditor_page.cookies["alta_time_zone"] = "Europe/Madrid"
    asked = "?column=time&operator=since&value=2026-11-20T11:00"
    local = auditor_page.get(f"{PAGE}{asked}")["Location"]
    assert local == f"{PAGE}?f=time.since.2026-11-20T11%3A00%3A00%2B01%3A00"
    utc = auditor_page.get(f"{PAGE}{asked}&zone=utc")["Location"]
    assert utc == f"{PAGE}?f=time.since.2026-11-20T11%3A00%3A00Z"
    text = auditor_page.get(local).content.decode()
    assert ">late<" in text
    assert ">early<" not in text
    assert ">late<" not in auditor_page.get(utc).content.decode()


def test_relative_periods_end_at_the_moment_given(db):
    form = FilterForm({"period": "24h", "f": "status.is.failure"}, now=NOON)
    filters = form.filters()
    assert filters.since == NOON - timedelta(hours=24)
    assert [str(condition) for condition in filters.conditions] == ["status.is.failure"]


def test_clearing_the_filters_keeps_the_look(auditor_page, happened):
    happened()
    text = text_of(auditor_page, "?q=nobody&view=grouped")
    assert text.count('href="/auditoria/?view=grouped"') == 2


def test_the_plot_comes_after_the_table(auditor_page, happened):
    happened()
    text = text_of(auditor_page, "?q=luis")
    assert text.index("</table>") < text.index('hx-trigger="load"')
    assert 'class="plot"' not in text
    plot = auditor_page.get(f"{PAGE}grafica/?q=luis")
    assert 'class="plot"' in plot.content.decode()
    assert 'href="/auditoria/?q=luis"' in plot.content.decode()
    part = auditor_page.get(f"{PAGE}grafica/", headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()


def test_filters_of_types_and_idps_are_drawn_from_the_counters(happened, db):
    from audit import chart

    happened(type="user.created", provider_kind="okta")
    happened(type="token.created", provider_kind="okta")
    for text, total in (
        ("activity.is.user.created", 1),
        ("category.not.user", 1),
        ("idp.is.okta", 2),
    ):
        filters = FilterForm({"f": text}).filters()
        assert filters.is_countable_by_hour
        assert chart.draw(filters).total == total
    assert not FilterForm({"f": "status.is.success"}).filters().is_countable_by_hour


def test_what_came_since_is_counted(auditor_page, happened):
    happened(NOON)
    text = text_of(auditor_page, "?f=status.is.success")
    news = html.unescape(re.search(r'data-live="([^"]+)"', text)[1])
    assert auditor_page.get(news).json() == {"number": 0, "more": False}
    happened(NOON + timedelta(seconds=1))
    happened(NOON + timedelta(seconds=2), outcome="failure")
    assert auditor_page.get(news).json() == {"number": 1, "more": False}
    assert auditor_page.get(f"{PAGE}nuevos/?after=x").json()["number"] == 0


def test_an_event_leads_to_the_ones_before_and_after_of_its_entity(auditor_page, happened):
    first, middle, last = (happened(NOON + timedelta(hours=n), target_id="7") for n in range(3))
    happened(NOON + timedelta(hours=1), target_id="8")
    text = auditor_page.get(f"{PAGE}{middle.pk}/").content.decode()
    assert f'rel="prev" href="{PAGE}{last.pk}/"' in text
    assert f'rel="next" href="{PAGE}{first.pk}/"' in text
    assert 'rel="prev"' not in auditor_page.get(f"{PAGE}{last.pk}/").content.decode()
