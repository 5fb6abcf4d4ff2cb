"""Which plans show that an index on a column served a statement."""

import pytest

from analyzer.detectors._access import Access, access
from analyzer.model.coverage import Coverage
from analyzer.model.plan import Plan, PlanNode
from analyzer.model.target import Target, Verdict
from analyzer.model.workload import Workload
from analyzer.sql.identity import identify

SQL = "SELECT u.id FROM users u JOIN invites i ON i.email = u.email WHERE lower(u.email) = 'x'"
STATEMENT = identify(SQL)
FILTERED = PlanNode(
    1, 0, "Seq Scan", relation="users", alias="u", filter="(lower(email) = 'x'::text)"
)


def index_scan(relation: str, alias: str, condition: str) -> PlanNode:
    return PlanNode(
        2, 0, "Index Scan", relation=relation, alias=alias, index="i", index_condition=condition
    )


def bitmap(relation: str, condition: str) -> PlanNode:
    index = PlanNode(4, 3, "Bitmap Index Scan", index="i", index_condition=condition)
    both = PlanNode(3, 2, "BitmapAnd", children=(index,))
    return PlanNode(2, 0, "Bitmap Heap Scan", relation=relation, alias="u", children=(both,))


def accessed(*nodes: PlanNode) -> Access:
    root = PlanNode(0, None, "Nested Loop", children=nodes)
    plan = Plan("k", root, "log", "json", analyzed=True, shape_id=STATEMENT.shape_id)
    verdict = Verdict(None, None, None, "none", "unknown", 0, "")
    workload = Workload([STATEMENT], [], Coverage(), Target(), verdict, plans=[plan])
    return access(workload, STATEMENT, "users", "email")


@pytest.mark.parametrize(
    "node",
    [
        index_scan("users", "u", "(email = i.email)"),
        index_scan("users", "u", "((u.email)::text = i.email)"),
        index_scan("users", "u", "(lower(email) = 'x'::text)"),
        index_scan("users", "u", "(ROW(email, id) > ROW('x'::text, 7))"),
        index_scan("users", "u", "((email || name) = 'x'::text)"),
        index_scan("users_2024", "u_1", "(lower(email) = 'x'::text)"),  # a partition
        bitmap("users", "(lower(email) = 'x'::text)"),
    ],
)
def test_an_index_on_the_column_serves(node: PlanNode) -> None:
    assert accessed(node) == Access(served=True, scanned=False)


@pytest.mark.parametrize(
    "node",
    [
        index_scan("invites", "i", "(email = u.email)"),
        index_scan("invites", "i", "(addr = u.email)"),
        index_scan("users", "u", "(id = i.email)"),
        index_scan("users", "u", "(kind = 'email'::text)"),
        index_scan("users", "u", "(ROW(id, kind) > ROW(i.email, 'email'::text))"),
        bitmap("invites", "(email = 'x'::text)"),
    ],
)
def test_an_index_elsewhere_does_not(node: PlanNode) -> None:
    assert accessed(FILTERED, node) == Access(served=False, scanned=True)
