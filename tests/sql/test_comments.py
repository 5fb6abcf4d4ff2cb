"""Ids in comments: which one counts, and what is left of the comment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.sql.comments import split_trace, trace_number
from analyzer.sql.keys import safe_key

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"traceparent='00-{TRACE}-b7ad6b7169203331-01'"


def test_a_traceparent_is_its_trace() -> None:
    assert split_trace(f"/*route='/a',{PARENT}*/") == (
        "/*route='/a',traceparent=''*/",
        int(TRACE[16:], 16) & ((1 << 63) - 1),
    )
    assert split_trace(f"/*{PARENT}*/")[1] == trace_number(TRACE)


@pytest.mark.parametrize(
    ("comment", "rest", "name"),
    [
        ("/*request_id:7f1,route:a*/", "/*request_id:,route:a*/", "7f1"),
        ("/* X-Request-Id=7f1 */", "/* X-Request-Id= */", "7f1"),
        (f"/*request_id='7f1',{PARENT}*/", "/*request_id=,traceparent=*/", TRACE),
        # BullMQ: jobs that share a trace are units of their own, and ids count within a queue.
        (
            f"/*attempt='0',job='nightly',jobId='2',queue='backups',{PARENT}*/",
            "/*attempt='0',job='nightly',jobId=,queue='backups',traceparent=*/",
            "backups:2",
        ),
        ("/*job:ImportJob,job_id:8a-9*/", "/*job:ImportJob,job_id:*/", "8a-9"),  # Active Job
        ("/*class:ImportJob,jid:b4a577ed*/", "/*class:ImportJob,jid:*/", "b4a577ed"),  # Sidekiq
        ("/*task='mail.send',task_id='d-1'*/", "/*task='mail.send',task_id=*/", "d-1"),  # Celery
        ("/*celery_task_id='d-1'*/", "/*celery_task_id=*/", "d-1"),
    ],
)
def test_the_id_that_counts(comment: str, rest: str, name: str) -> None:
    assert split_trace(comment) == (rest, trace_number(name))


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "/* all jobs of a task */",
        "/*route='/a'*/",
        "-- required",
        "/*request_id=*/",
        "/*job='x'*/",
    ],
)
def test_comments_without_an_id(comment: str) -> None:
    assert split_trace(comment) == (comment, 0)


def test_a_comment_may_stand_behind_the_first_word() -> None:
    for text in (
        f"SELECT /* url=/a request_id=7 */ a FROM t WHERE b = 5 /*{PARENT}*/",
        f"/* url=/a request_id=7 */ SELECT a FROM t WHERE b = 5 /*{PARENT}*/",
    ):
        key, literals, comments = safe_key(text)
        assert (" ".join(key.split()), literals) == ("SELECT a FROM t WHERE b = 0", "5")
        assert comments is not None
        assert split_trace(comments)[1] == trace_number(TRACE)


@given(st.text(max_size=60))
def test_any_comment_is_stripped_once(text: str) -> None:
    rest, number = split_trace(text)
    assert 0 <= number < 1 << 63
    assert split_trace(rest) == (rest, 0) or number == 0
