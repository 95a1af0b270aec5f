"""What a poll is answered: only what differs from what the browser shows."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from cloudjobs.pages.live import Live, Part, changed_parts, live_page, live_url, pace

OUTER = Part("outer", "partials/gone_row.html", "outer")
INNER = Part("inner", "partials/gone_row.html", "inner", inside="outer")
OTHER = Part("other", "partials/gone_row.html", "other")
LIVE = Live("/here/", 2)


def changed(part: Part) -> Part:
    return Part(part.name, part.template, f"{part.shown} now", inside=part.inside)


def token_of(*parts: Part) -> str:
    return live_url(LIVE, parts).partition("v=")[2]


def answer(live: Live, known: str, *parts: Part) -> HttpResponse:
    request: HttpRequest = RequestFactory().get(
        "/here/", {"v": known}, headers={"HX-Request": "true"}
    )
    return live_page(request, "404.html", live, parts)


def test_poll_without_a_change_is_answered_with_204() -> None:
    response = answer(LIVE, token_of(OUTER, INNER), OUTER, INNER)
    assert (response.status_code, response.content) == (204, b"")


def test_changed_parts_come_with_the_next_address() -> None:
    html = answer(LIVE, token_of(OUTER, OTHER), changed(OUTER), OTHER).content.decode()
    assert 'id="outer now"' in html
    assert 'id="other' not in html
    assert f'hx-get="{live_url(LIVE, [changed(OUTER), OTHER])}"' in html


def test_change_of_the_counts_is_told_even_if_no_part_changed() -> None:
    html = answer(Live("/here/", 2, running="1"), token_of(OUTER), OUTER).content.decode()
    assert 'data-running="1"' in html
    assert "<template>" not in html


def test_last_answer_has_no_address() -> None:
    html = answer(Live("/here/", 0), token_of(OUTER), OUTER).content.decode()
    assert 'id="live"' in html
    assert "hx-get" not in html


def test_part_comes_along_with_the_one_that_contains_it() -> None:
    known = token_of(OUTER, INNER, OTHER)
    found = changed_parts([changed(OUTER), changed(INNER), OTHER], known)
    assert [part.name for part in found] == ["outer"]


def test_part_comes_by_itself_when_the_one_around_it_stays() -> None:
    found = changed_parts([OUTER, changed(INNER), OTHER], token_of(OUTER, INNER, OTHER))
    assert [part.name for part in found] == ["inner"]


def test_two_parts_that_show_the_same_are_told_apart() -> None:
    assert Part("a", "x", "same").digest != Part("b", "x", "same").digest


@pytest.mark.parametrize(("moving", "seconds"), [(0, 30), (1, 2), (9, 2), (10, 3), (50, 3)])
def test_lists_ask_less_often_the_more_moves_and_rarely_if_nothing_does(
    moving: int, seconds: int
) -> None:
    assert pace(moving) == seconds
