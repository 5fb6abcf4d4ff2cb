"""What is asked of Indico: its pages and exports, what managers and administrators see, and writes."""

import random
from datetime import timedelta
from typing import Any

from indico.modules.categories import Category
from indico.modules.events import Event
from indico.modules.events.contributions.models.contributions import Contribution
from indico.modules.events.models.events import EventType
from indico.modules.rb.models.reservations import Reservation
from indico.modules.rb.models.rooms import Room
from indico.modules.users import User
from indico.util.date_time import now_utc
from indico_bed.settings import CSRF_TOKEN

HEADERS = {"X-CSRF-Token": CSRF_TOKEN}
SCRIPT = {"X-Requested-With": "XMLHttpRequest"}


def login(client: Any, who: str) -> None:
    """Begin a session for the user whose e-mail address begins so."""
    with client.application.app_context():
        found = User.query.filter_by(email=f"{who}@example.org").one().id
    with client.session_transaction() as session:
        session["_user_id"] = found
        session["_csrf_token"] = CSRF_TOKEN


def plan() -> list[dict[str, Any]]:
    """All requests, in a seeded random order."""
    meetings = Event.query.filter_by(type_=EventType.meeting).order_by(Event.id).all()
    conference, other = Event.query.filter_by(type_=EventType.conference).order_by(Event.id).all()
    requests = _categories() + _people() + _rooms()
    for event in meetings[:-6:7]:
        requests += _meeting(event)
    requests += _conference(conference) + _managed(conference) + _managed_meeting(meetings[5])
    requests += _writes(other, meetings[1])
    random.shuffle(requests)
    return requests


def _get(path: str, who: str = "", **more: Any) -> dict[str, Any]:
    return {"path": path, **({"who": who} if who else {}), **more}


def _categories() -> list[dict[str, Any]]:
    leaves = [one.id for one in Category.query.order_by(Category.id).all() if not one.children][:6]
    top = Category.get_root().children[0].id
    today = now_utc().strftime("%Y-%m-%d")
    requests = [
        _get(path)
        for path in (
            "/",
            f"/category/{top}/",
            "/category/0/overview?period=month",
            "/category/0/calendar",
        )
    ]
    requests.append(_get(f"/category/0/calendar/events?start={today}&end={today}"))
    for leaf in leaves:
        for path in ("", "overview?period=month", "statistics.json", "events.ics", "events.atom"):
            requests.append(_get(f"/category/{leaf}/{path}"))
        requests.append(_get(f"/export/categ/{leaf}.json?from=-60d&to=60d"))
    requests += [
        _get(f"/export/categ/{leaves[1]}.json?from=-60d&to=60d&detail={detail}", "person3")
        for detail in ("contributions", "subcontributions", "sessions")
    ]
    requests += [_get(f"/category/{top}/", who, headers=SCRIPT) for who in ("person3", "person40")]
    requests += [_get(f"/category/{number}/info") for number in (0, top, leaves[0])]
    for path in ("", "settings", "protection", "roles", "logs/api/logs", "designer/"):
        requests.append(_get(f"/category/{leaves[2]}/manage/{path}", "person0"))
    return [*requests, _get(f"/category/{top}/manage/", "person0"), _get("/search/api/search?q=Talk&type=contribution", "person3")]  # fmt: skip


def _people() -> list[dict[str, Any]]:
    paths = ["/user/dashboard/", "/user/dashboard.ics", "/user/profile/", "/user/preferences/", "/user/favorites/", "/user/emails/",
             "/user/search/?last_name=Last1", "/user/api/favorites/events", "/api/user/"]  # fmt: skip
    requests = [_get(path, "person3") for path in paths]
    requests += [_get("/user/dashboard/", f"person{n}") for n in (1, 12, 40)]
    paths = ["/admin/users/", "/admin/admins", "/admin/users/merge/", "/admin/groups/", "/admin/groups/indico/1/", "/admin/groups/indico/1/members",
             "/admin/event-labels/", "/admin/unlisted-events/", "/groups/api/search?name=Group"]  # fmt: skip
    return requests + [_get(path, "person0") for path in paths]


def _rooms() -> list[dict[str, Any]]:
    rooms = Room.query.order_by(Room.id).all()
    day = now_utc() + timedelta(days=1)
    days = f"start_date={day:%Y-%m-%d}&end_date={day + timedelta(days=6):%Y-%m-%d}"
    paths = ["", "config", "locations", "equipment", "rooms/", "rooms/permissions", "rooms/search", "rooms/search?capacity=12", "user/",
             f"calendar?{days}", f"calendar?{days}&my_bookings=1", "bookings/mine", "admin/rooms/",
             "admin/locations", "blockings/", "user/favorite-rooms/"]  # fmt: skip
    requests = [_get(f"/rooms/api/{path}", "person0") for path in paths]
    times = f"start_dt={day:%Y-%m-%d}T08:00:00&end_dt={day + timedelta(days=6):%Y-%m-%d}T18:00:00"
    for room in rooms[::9]:
        requests += [
            _get(f"/rooms/api/rooms/{room.id}{path}", "person3")
            for path in (
                "",
                "/availability",
                f"/timeline?{times}&repeat_frequency=DAY",
                "/stats",
                "/attributes",
            )
        ]
    booking = Reservation.query.order_by(Reservation.id).offset(2).first().id
    requests.append(_get(f"/rooms/api/bookings/{booking}", "person0"))
    search = f"start_dt={day:%Y-%m-%d}T08:00&end_dt={day:%Y-%m-%d}T18:00&repeat_frequency=NEVER&repeat_interval=0"
    requests.append(_get(f"/rooms/api/rooms/search?{search}", "person3"))
    requests.append({"method": "post", "path": f"/rooms/api/timeline?{search}", "who": "person3", "headers": HEADERS,
                     "json": {"room_ids": [room.id for room in rooms]}})  # fmt: skip
    return requests


def _meeting(event: Any) -> list[dict[str, Any]]:
    talk = event.contributions[0]
    paths = [f"/event/{event.id}/", f"/event/{event.id}/event.ics?scope=contribution", f"/event/{event.id}/contributions/{talk.id}/",
             f"/export/event/{event.id}.json?detail=contributions", f"/export/event/{event.id}.json?detail=subcontributions",
             f"/export/timetable/{event.id}.json"]  # fmt: skip
    return [_get(path) for path in paths] + [
        _get(f"/event/{event.id}/", "person3"),
        _get(f"/event/{event.id}/?view=standard_inline_minutes", "person12"),
    ]


def _conference(event: Any) -> list[dict[str, Any]]:
    talk, part, form = event.contributions[0], event.sessions[0], event.registration_forms[0]
    paths = ["", "program", "timetable/", "timetable/?view=standard", "timetable/?layout=room", "contributions/", "contributions/authors",
             "contributions/speakers", f"contributions/{talk.id}/", f"contributions/{talk.id}.json", f"sessions/{part.id}/",
             f"sessions/{part.id}/session.ics", f"contributions/{talk.id}/contribution.ics", "registrations/",
             f"registrations/{form.id}/", "registrations/participants", "abstracts/", "surveys/", "event.ics", "papers/",
             "contributions/customize"]  # fmt: skip
    requests = [_get(f"/event/{event.id}/{path}") for path in paths]
    requests += [_get(f"/export/event/{event.id}{rest}") for rest in (
        ".json", ".json?detail=contributions", ".json?detail=sessions", ".xml?detail=contributions", f"/session/{part.friendly_id}.json",
    )]  # fmt: skip
    return requests + [
        _get(f"/event/{event.id}/{path}", "person3")
        for path in ("", "abstracts/", "contributions/mine", "sessions/mine", "abstracts/reviewing/", f"registrations/{form.id}/",
                     "registrations/", "timetable/", f"surveys/{event.surveys[0].id}", "api/registration-forms")
    ]  # fmt: skip


def _managed(event: Any) -> list[dict[str, Any]]:
    form, other = event.registration_forms[:2]
    survey, talk, part = event.surveys[0], event.contributions[0], event.sessions[0]
    registration = form.registrations[0].id
    paths = [
        "", "contributions/", "contributions/customize",
        f"contributions/{talk.id}/edit", f"contributions/{talk.id}/protection", f"contributions/{talk.id}/subcontributions/",
        "contributions/types/", "contributions/fields/", "sessions/", f"sessions/{part.id}/modify",
        f"sessions/{part.id}/blocks", f"sessions/{part.id}/protection", "timetable/", f"timetable/session/{part.id}/", "tracks/", "registration/",
        f"registration/{form.id}/", f"registration/{form.id}/registrations/", f"registration/{other.id}/registrations/",
        f"registration/{form.id}/registrations/{registration}/",
        f"registration/{form.id}/registrations/{registration}/edit", f"registration/{form.id}/form/", f"registration/{form.id}/stats/",
        f"registration/{form.id}/invitations/", "registration/tags", "registration/display", f"registration/{form.id}/registrations/customize",
        "abstracts/", "abstracts/list/", "abstracts/teams", "abstracts/list/customize",
        "abstracts/email-templates/", "surveys/", f"surveys/{survey.id}/", f"surveys/{survey.id}/results",
        f"surveys/{survey.id}/questionnaire/", "persons/", "protection", "logs/api/logs", "logs/", "layout/menu/", "layout/", "features/",
        "attachments/", "roles/", "reminders/", "designer/", "papers/", "papers/teams/", "program-codes/", "privacy",
        "api/program-codes/contributions", "clone", "requests/", "videoconference/", "agreements/",
    ]  # fmt: skip
    requests = [_get(f"/event/{event.id}/manage/{path}", "person1") for path in paths]
    registrants = f"/api/events/{event.id}/registrants"
    return [
        *requests,
        _get(registrants, "person1"),
        _get(f"/event/{event.id}/manage/registration/", "person0"),
    ]


def _managed_meeting(event: Any) -> list[dict[str, Any]]:
    paths = (
        "",
        "timetable/",
        "contributions/",
        "persons/",
        "participants/",
        "protection",
        "attachments/",
        "logs/api/logs",
    )
    return [_get(f"/event/{event.id}/manage/{path}", "person0") for path in paths]


def _writes(event: Any, meeting: Any) -> list[dict[str, Any]]:
    writes = []
    base = f"/event/{event.id}/manage"

    def post(path: str, data: Any, who: str = "person1", **more: Any) -> None:
        more = {"method": "post", "headers": {**HEADERS, **SCRIPT}, **more}
        data = data and {**data, "csrf_token": CSRF_TOKEN}
        writes.append({"path": path, "data": data, "who": who, **more})

    form, other = event.registration_forms[:2]
    abstracts = [one.id for one in event.abstracts]
    pending = [one.id for one in other.registrations]
    for n in range(0, 12, 6):
        post(
            f"{base}/registration/{other.id}/registrations/approve",
            {"registration_id": pending[n : n + 6]},
        )
    taken = [one.id for one in form.registrations[:8]]
    post(
        f"{base}/registration/{form.id}/registrations/check-in",
        {"registration_id": taken, "flag": "1"},
    )
    post(
        f"{base}/registration/{form.id}/registrations/delete",
        {"registration_id": [one.id for one in form.registrations[10:16]]},
    )
    email = {
        "from_address": "",
        "subject": "News",
        "body": "<p>{first_name}, here it is</p>",
        "registration_id": taken,
    }
    post(f"{base}/registration/{form.id}/registrations/email", email)
    post(
        f"{base}/registration/{form.id}/registrations/email-preview",
        {"subject": "News", "body": "<p>Here</p>", "registration_id": taken},
    )
    talks = Contribution.query.with_parent(event).order_by(Contribution.id).all()
    for n in (20, 26):
        post(
            f"{base}/contributions/delete",
            {"contribution_id": [one.id for one in talks[n : n + 6]]},
        )
    post(f"{base}/contributions/person-list", {"contribution_id": [one.id for one in talks[:12]]})
    post(
        f"{base}/contributions/contributions.csv",
        {"contribution_id": [one.id for one in talks[:16]]},
    )
    post(f"{base}/sessions/sessions.csv", {"session_id": [one.id for one in event.sessions]})
    post(
        f"{base}/registration/{form.id}/registrations/registrations.csv", {"registration_id": taken}
    )
    survey = event.surveys[0]
    post(
        f"{base}/surveys/{survey.id}/submissions.csv",
        {"submission_ids": [one.id for one in survey.submissions]},
    )
    post(f"{base}/abstracts/abstracts.json", {"abstract_id": abstracts[:12]})
    post(f"{base}/sessions/person-list/", {"session_id": [one.id for one in event.sessions]})
    post(f"{base}/sessions/delete", {"session_id": [one.id for one in event.sessions[4:]]})
    post(f"{base}/abstracts/abstracts.csv", {"abstract_id": abstracts[:10]})
    post(f"{base}/abstracts/person-list", {"abstract_id": abstracts[:10]})
    post(f"{base}/abstracts/delete", {"abstract_id": abstracts[10:16]})
    post(f"{base}/abstracts/judge", {
        "abstract_id": abstracts[:6], "submitted": "1", "judgment": "accept", "judgment_comment": "Good", "override_contrib_type": "y",
    })  # fmt: skip
    post(
        f"{base}/program-codes/assign/contributions",
        {f"contributions-{one.id}": f"C{one.id}" for one in talks[:12]},
    )
    for n in range(3):
        post(f"/event/{meeting.id}/manage/contributions/create", {"title": f"New {n}", "duration": "1200", "location_data": '{"inheriting": true}',
             "person_link_data": "[]", "references": "[]", "keywords": "[]"}, "person0")  # fmt: skip
    post(
        f"/event/{meeting.id}/manage/settings/data",
        {"title": "Edited", "description": "<p>Anew</p>"},
        "person0",
    )
    category = (
        Event.query.filter_by(type_=EventType.meeting).order_by(Event.id.desc()).first().category
    )
    gone = [one.id for one in Event.query.filter_by(category_id=category.id).order_by(Event.id)]
    post(
        f"/category/{category.id}/manage/events/delete",
        {"event_id": gone[-6:], "confirmed": "1"},
        "person0",
    )
    room = Room.query.order_by(Room.id).first()
    start = (now_utc() + timedelta(days=20)).strftime("%Y-%m-%d")
    end = (now_utc() + timedelta(days=29)).strftime("%Y-%m-%d")
    for n in range(2):
        post("/rooms/api/booking/create", None, "person0", json={
            "room_id": room.id + n, "start_dt": f"{start}T09:00", "end_dt": f"{end}T10:00", "repeat_frequency": "DAY", "repeat_interval": 1,
            "booked_for_user": f"User:{User.query.filter_by(email='person5@example.org').one().id}", "reason": "To meet", "is_prebooking": False,
        })  # fmt: skip
    return writes
