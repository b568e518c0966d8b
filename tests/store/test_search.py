"""Pages of findings: every order, any criteria, and a walk that misses and repeats nothing while findings are added."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from random import Random

import msgspec
import pytest
from finding_examples import NOW, one_of_each
from many_findings import Template, fill, variations
from sqlalchemy import select, update

from guardray.errors import QueryRefusedError
from guardray.findings.wire import to_json
from guardray.store import search_plan
from guardray.store.criteria import matches, parse_criteria
from guardray.store.database import Database
from guardray.store.index_schema import FINDING_INDEX
from guardray.store.indexing import Change, index_changed, index_new
from guardray.store.schema import FINDINGS
from guardray.store.search import FindingsPage, Scope, find_page, findings_by_id
from guardray.store.sorting import SORTABLE, Sort

EVERYBODY = Scope()
TIMES = ("event_first_seen", "event_last_seen", "created_at", "updated_at")
BASES = [to_json(finding) for finding in one_of_each()]
CRITERIA = [
    {},
    {"severity": {"gte": 4}, "service.archived": {"eq": ["false"]}},
    {"type": {"eq": ["UnauthorizedAccess:EC2/SSHBruteForce", "Recon:EC2/PortProbeUnprotectedPort"]}},
    {"resource.instanceDetails.instanceId": {"eq": ["i-00000000000000000"]}},
    {"resource.accessKeyDetails.userName": {"neq": ["user-0"]}, "severity": {"lt": 9}},
    {"title": {"matches": ["*probed*"]}, "updatedAt": {"gte": 1_700_000_000_000}},
]


@pytest.fixture
def database(store_url):
    with closing(Database(store_url)) as opened:
        fill(opened, BASES, 300)
        yield opened


@pytest.fixture
def connection(database):
    with database.writing() as opened:
        yield opened


def everything(connection):
    """All findings as they came."""
    joined = FINDINGS.join(FINDING_INDEX, FINDING_INDEX.c.finding_id == FINDINGS.c.id)
    texts = connection.scalars(select(FINDINGS.c.json).select_from(joined).order_by(FINDING_INDEX.c.number))
    return [msgspec.json.decode(text) for text in texts]


def walk(connection, criteria=(), sort=None, size=50, scope=EVERYBODY):
    """All ids, page by page, and the pages' sizes."""
    ids, after = [], None
    while True:
        page = find_page(connection, scope, criteria, sort or Sort(), after=after, size=size)
        ids += page.ids
        after = msgspec.json.decode(msgspec.json.encode(page.next_after))
        if after is None:
            return ids


@pytest.mark.parametrize(("few", "walk_at_first", "walk_on"), [(0, 20, 0), (0, 20, 10_000), (100, 1, 50)])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("attribute", SORTABLE)
def test_pages_are_in_every_order_that_can_be_asked_for(
    connection, attribute, descending, few, walk_at_first, walk_on, monkeypatch
):
    """Whether findings are gathered or walked makes no difference."""
    monkeypatch.setattr(search_plan, "FEW_VALUES", few)
    monkeypatch.setattr(search_plan, "FEW_ROWS", few)
    monkeypatch.setattr(search_plan, "SHORT_WALK", walk_at_first)
    monkeypatch.setattr(search_plan, "LONG_WALK", walk_on)
    sort = Sort.of({"attributeName": attribute, "orderBy": "DESC" if descending else "ASC"})
    findings = everything(connection)
    for each in CRITERIA:
        criteria = parse_criteria({"criterion": each})
        chosen = [finding for finding in findings if matches(criteria, finding)]
        if descending:
            chosen.reverse()  # those with the same value, too
        chosen.sort(key=sort.value_of, reverse=descending)
        assert walk(connection, criteria, sort, 37) == [finding["id"] for finding in chosen]


@pytest.mark.parametrize("descending", [True, False])
def test_findings_of_one_millisecond_are_neither_missed_nor_repeated(connection, descending):
    numbers = connection.scalars(select(FINDING_INDEX.c.number).order_by(FINDING_INDEX.c.number)).all()
    for number in numbers:
        within = {"created_at": NOW + timedelta(microseconds=number)}
        connection.execute(update(FINDING_INDEX).where(FINDING_INDEX.c.number == number).values(within))
    ids = [finding["id"] for finding in everything(connection)]
    assert walk(connection, sort=Sort(descending=descending), size=7) == (ids[::-1] if descending else ids)


def test_the_newest_come_first_where_no_order_is_asked_for():
    assert Sort.of(None) == Sort.of({}) == Sort("createdAt", descending=True)
    assert Sort.of({"AttributeName": "severity", "OrderBy": "ASC"}) == Sort("severity", descending=False)


def test_a_walk_has_every_finding_once_while_others_are_added_and_updated(database):
    with database.reading() as connection:
        before = {row.id for row in connection.execute(select(FINDINGS.c.id))}
    templates = [Template(base) for base in BASES]
    added = variations(templates, 1000, Random(1))
    random, ids, after = Random(2), [], None
    while True:
        with database.writing() as connection:
            page = find_page(connection, EVERYBODY, after=after, size=20)
            ids += page.ids
            new = [(next(added).columns | {"json": "{}"}, {}) for _ in range(7)]
            new = [(row | dict.fromkeys(TIMES, NOW), json) for row, json in new]
            connection.execute(FINDINGS.insert(), [row for row, _ in new])
            index_new(connection, new)
            chosen = FINDINGS.c.id.in_(random.sample(sorted(before), 30))
            old = connection.execute(select(FINDINGS).where(chosen)).mappings().all()
            later = {"updated_at": NOW + timedelta(days=len(ids)), "severity": 9.0}
            connection.execute(update(FINDINGS).where(chosen).values(**later))
            index_changed(connection, [Change((row, None), ({**row, **later}, None)) for row in old])
        after = page.next_after
        if after is None:
            break
    assert len(ids) == len(set(ids))
    assert before <= set(ids)


def test_a_scope_shows_its_own_findings_and_no_others(connection):
    findings = everything(connection)
    account = findings[0]["accountId"]
    scope = Scope(frozenset({account}), "eu-west-1")
    own = {one["id"] for one in findings if one["accountId"] == account and one["region"] == "eu-west-1"}
    assert set(walk(connection, scope=scope)) == own
    foreign = next(one["id"] for one in findings if one["id"] not in own)
    assert findings_by_id(connection, scope, [foreign]) == []
    assert find_page(connection, Scope(frozenset())) == FindingsPage((), None)
    asked = parse_criteria({"criterion": {"id": {"eq": [foreign]}}})
    assert find_page(connection, scope, asked) == FindingsPage((), None)


def test_findings_come_in_the_order_of_their_ids_and_unknown_ones_are_left_out(connection):
    findings = {finding["id"]: finding for finding in everything(connection)[:5]}
    wanted = list(reversed(findings))
    found = findings_by_id(connection, EVERYBODY, [wanted[0], "0" * 32, "x\0", "é", *wanted])
    assert found == [findings[finding_id] for finding_id in wanted]
    sort = Sort("severity")
    ordered = findings_by_id(connection, EVERYBODY, wanted, sort)
    assert [one["severity"] for one in ordered] == sorted((one["severity"] for one in found), reverse=True)


@pytest.mark.parametrize("size", [0, 51])
def test_a_page_has_1_to_50_findings(connection, size):
    with pytest.raises(QueryRefusedError, match="maxResults is not between 1 and 50"):
        find_page(connection, EVERYBODY, size=size)


def test_more_ids_than_50_are_refused(connection):
    with pytest.raises(QueryRefusedError, match="findingIds has more than 50 ids"):
        findings_by_id(connection, EVERYBODY, ["0"] * 51)


@pytest.mark.parametrize(
    ("criteria", "reason"),
    [
        ({"attributeName": "title"}, "names 'title', by which findings cannot be sorted"),
        ({"attributeName": "x"}, "names the attribute 'x', which no finding has"),
        ({"attributeName": "type", "orderBy": "UP"}, "has an orderBy that is neither ASC nor DESC"),
    ],
)
def test_an_order_that_there_is_not_is_refused(criteria, reason):
    with pytest.raises(QueryRefusedError, match=reason) as refusal:
        Sort.of(criteria)
    assert refusal.value.parameter == "sortCriteria"


TIME = "2024-05-01T12:06:00.000Z"


@pytest.mark.parametrize("place", [[], ["x", 1], [None, 1], [1, 1], [TIME, "1"], [TIME, -1], [TIME, True], 7, {}])
def test_a_place_of_another_order_is_refused(connection, place):
    with pytest.raises(QueryRefusedError, match="nextToken is not a token of this request"):
        find_page(connection, EVERYBODY, after=place)
