"""Fills an Indico: people, categories, meetings, conferences, registrations, abstracts, rooms, surveys."""

import random
from datetime import datetime, timedelta
from typing import Any

from flask import session
from indico.core.db import db
from indico.modules.attachments.models.attachments import Attachment, AttachmentType
from indico.modules.attachments.models.folders import AttachmentFolder
from indico.modules.categories import Category
from indico.modules.categories.operations import create_category
from indico.modules.events.abstracts.models.persons import AbstractPersonLink
from indico.modules.events.abstracts.operations import create_abstract, open_cfa
from indico.modules.events.contributions import contribution_settings
from indico.modules.events.contributions.models.persons import (
    AuthorType,
    ContributionPersonLink,
    SubContributionPersonLink,
)
from indico.modules.events.contributions.models.types import ContributionType
from indico.modules.events.contributions.operations import (
    create_contribution,
    create_subcontribution,
)
from indico.modules.events.features.util import set_feature_enabled
from indico.modules.events.models.events import EventType
from indico.modules.events.models.persons import EventPerson, EventPersonLink
from indico.modules.events.notes.models.notes import EventNote, RenderMode
from indico.modules.events.operations import create_event
from indico.modules.events.registration.models.forms import RegistrationForm
from indico.modules.events.registration.models.tags import RegistrationTag
from indico.modules.events.registration.util import (
    create_personal_data_fields,
    create_registration,
)
from indico.modules.events.sessions.operations import create_session
from indico.modules.events.surveys.fields.simple import SurveyTextField
from indico.modules.events.surveys.models.submissions import SurveyAnswer, SurveySubmission
from indico.modules.events.surveys.models.surveys import Survey
from indico.modules.events.surveys.operations import add_survey_question, add_survey_section
from indico.modules.events.timetable.operations import (
    create_break_entry,
    create_session_block_entry,
)
from indico.modules.events.tracks.models.tracks import Track
from indico.modules.groups.models.groups import LocalGroup
from indico.modules.rb.models.locations import Location
from indico.modules.rb.models.reservations import RepeatFrequency, Reservation
from indico.modules.rb.models.rooms import Room
from indico.modules.users.operations import create_user
from indico.util.date_time import now_utc

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def seed() -> None:
    """Make everything; all chance is seeded by the caller."""
    people = _people()
    session.set_session_user(people[0])
    categories = _categories(people)
    db.session.commit()
    for number, category in enumerate(categories):
        for n in range(3 + number % 4):
            _meeting(category, f"Meeting {number}.{n}", people)
        db.session.commit()
    for number, category in enumerate(categories[:2]):
        _conference(category, f"Conference {number}", people)
        db.session.commit()
    _rooms(people)
    db.session.commit()
    db.session.execute("ANALYZE")
    db.session.commit()


def _people() -> list[Any]:
    people = []
    for n in range(60):
        data = {"first_name": f"First{n}", "last_name": f"Last{n}", "affiliation": f"Place {n % 9}"}
        people.append(create_user(f"person{n}@example.org", data, from_moderation=False))
    people[0].is_admin = True
    for n in range(4):
        group = LocalGroup(name=f"Group {n}")
        group.members = set(people[n * 12 : n * 12 + 12])
        db.session.add(group)
    db.session.flush()
    return people


def _categories(people: list[Any]) -> list[Any]:
    """Leaves of a tree; some are managed by others and protected."""
    leaves = []
    for n in range(4):
        top = create_category(Category.get_root(), {"title": f"Area {n}"})
        for k in range(4):
            leaf = create_category(
                top, {"title": f"Series {n}.{k}", "description": "What it is for"}
            )
            leaf.update_principal(people[n + 1], full_access=True)
            for person in random.sample(people, 4):
                leaf.update_principal(person, read_access=True)
            leaves.append(leaf)
    return leaves


def _start() -> datetime:
    day = now_utc().replace(hour=8, minute=0, second=0, microsecond=0)
    return day + random.randint(-40, 40) * DAY


def _meeting(category: Any, title: str, people: list[Any]) -> Any:
    start = _start()
    event = create_event(category, EventType.meeting, {
        "title": title, "start_dt": start, "end_dt": start + 9 * HOUR, "timezone": "UTC",
        "creator": random.choice(people), "description": "<p>What will be discussed</p>",
    })  # fmt: skip
    # Numbers within an event are drawn in a transaction of their own, which has to see the event.
    db.session.commit()
    event.person_links = [
        EventPersonLink(person=EventPerson.for_user(person, event))
        for person in random.sample(people, 2)
    ]
    for n in range(random.randint(3, 9)):
        contribution = _contribution(event, f"Talk {n} of {title}", people, start + n * HOUR / 2)
        for k in range(n % 3):
            sub = create_subcontribution(
                contribution, {"title": f"Part {k}", "duration": timedelta(minutes=5)}
            )
            person = EventPerson.for_user(random.choice(people), event)
            sub.person_links.append(SubContributionPersonLink(person=person))
        if n % 2:
            _material(contribution, people)
            EventNote(object=contribution).create_revision(
                RenderMode.html, "<p>It was said</p>", random.choice(people)
            )
    create_break_entry(event, {
        "title": "Coffee", "start_dt": start + 5 * HOUR, "duration": HOUR / 2, "location_data": {"inheriting": True},
    })  # fmt: skip
    _material(event, people)
    return event


def _contribution(
    event: Any, title: str, people: list[Any], start: datetime | None = None, **more: Any
) -> Any:
    data = {"title": title, "duration": HOUR / 2, "start_dt": start, "description": "What it tells"}
    block = more.pop("session_block", None)
    contribution = create_contribution(event, {**data, **more}, session_block=block)
    for person in random.sample(people, random.randint(1, 3)):
        contribution.person_links.append(
            ContributionPersonLink(
                person=EventPerson.for_user(person, event),
                is_speaker=True,
                author_type=AuthorType.primary,
            )
        )
    db.session.commit()
    return contribution


def _material(linked: Any, people: list[Any]) -> None:
    folder = AttachmentFolder.get_or_create_default(linked_object=linked)
    for n in range(random.randint(1, 3)):
        folder.all_attachments.append(
            Attachment(
                user=random.choice(people),
                title=f"Link {n}",
                type=AttachmentType.link,
                link_url=f"http://localhost/{n}",
            )
        )
    db.session.flush()


def _conference(category: Any, title: str, people: list[Any]) -> None:
    start = _start()
    event = create_event(category, EventType.conference, {
        "title": title, "start_dt": start, "end_dt": start + 3 * DAY, "timezone": "UTC",
        "creator": people[1], "description": "<p>Three days</p>",
    })  # fmt: skip
    db.session.commit()
    for name in ("registration", "abstracts", "papers", "surveys"):
        set_feature_enabled(event, name, state=True)
    contribution_settings.set(event, "published", value=True)
    kinds = [ContributionType(event=event, name=f"Kind {n}") for n in range(3)]
    tracks = [Track(event=event, title=f"Track {n}", code=f"T{n}") for n in range(5)]
    db.session.commit()
    number = 0
    for n in range(6):
        part = create_session(
            event, {"title": f"Session {n}", "default_contribution_duration": HOUR / 2}
        )
        part.update_principal(people[n + 2], full_access=True)
        for day in range(2):
            at = start + day * DAY + n * HOUR
            entry = create_session_block_entry(part, {
                "title": f"Block {day}", "start_dt": at, "duration": HOUR, "location_data": {"inheriting": True},
            })  # fmt: skip
            db.session.commit()
            for k in range(3):
                number += 1
                contribution = _contribution(
                    event, f"Paper {number}", people, at + k * timedelta(minutes=20), session=part,
                    session_block=entry.object, track=tracks[n % 5], type=kinds[k], duration=timedelta(minutes=20),
                )  # fmt: skip
                if k == 1:
                    _material(contribution, people)
    _abstracts(event, tracks, kinds, people)
    _registrations(event, people)
    _survey(event, people)


def _abstracts(event: Any, tracks: list[Any], kinds: list[Any], people: list[Any]) -> None:
    open_cfa(event)
    db.session.commit()
    for n in range(18):
        abstract, _ = create_abstract(event, {
            "title": f"Abstract {n}", "description": "In short", "submitted_for_tracks": set(random.sample(tracks, 2)),
            "submitted_contrib_type": random.choice(kinds),
        }, submitter=random.choice(people))  # fmt: skip
        for person in random.sample(people, 2):
            abstract.person_links.append(
                AbstractPersonLink(
                    person=EventPerson.for_user(person, event), author_type=AuthorType.primary
                )
            )
    db.session.flush()


def _registrations(event: Any, people: list[Any]) -> None:
    tags = [RegistrationTag(event=event, title=f"Tag {n}", color="red") for n in range(3)]
    for n, title in enumerate(("Participants", "Exhibitors")):
        form = RegistrationForm(event=event, title=title, currency="EUR", base_price=n * 10)
        create_personal_data_fields(form)
        form.start_dt = now_utc() - DAY
        form.moderation_enabled = bool(n)
        db.session.add(form)
        db.session.commit()
        for person in people[n * 20 : n * 20 + 24]:
            data = {
                "email": person.email, "first_name": person.first_name, "last_name": person.last_name,
                "affiliation": person.affiliation,
            }  # fmt: skip
            registration = create_registration(form, data, notify_user=False)
            registration.tags = set(random.sample(tags, 2))
    db.session.flush()


def _survey(event: Any, people: list[Any]) -> None:
    survey = Survey(event=event, title="How was it?", introduction="", anonymous=False)
    db.session.add(survey)
    db.session.commit()
    questions = []
    for n in range(2):
        section = add_survey_section(survey, {"title": f"Section {n}", "display_as_section": True})
        for k in range(4):
            data = {"title": f"Question {n}.{k}", "is_required": False, "description": ""}
            questions.append(add_survey_question(section, SurveyTextField, data))
    survey.open()
    for n, person in enumerate(people[:9]):
        submission = SurveySubmission(
            survey=survey, user=person, friendly_id=n + 1, submitted_dt=now_utc(), is_submitted=True
        )
        for question in questions:
            submission.answers.append(SurveyAnswer(question=question, data="Well"))
    db.session.flush()


def _rooms(people: list[Any]) -> None:
    day = now_utc().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for n in range(2):
        location = Location(name=f"Site {n}")
        db.session.add(location)
        for k in range(12):
            room = Room(building=str(n + 1), floor=str(k // 4), number=str(k), location=location, owner=people[k], capacity=10 + k,
                        protection_mode=0, is_reservable=True)  # fmt: skip
            db.session.add(room)
            db.session.flush()
            for booking in range(3):
                start = day + (1 + booking) * DAY + (8 + k % 6) * HOUR
                Reservation.create_from_data(room, {
                    "start_dt": start, "end_dt": start + HOUR + (booking == 2) * 6 * DAY,
                    "repeat_frequency": RepeatFrequency.DAY if booking == 2 else RepeatFrequency.NEVER,
                    "repeat_interval": int(booking == 2), "booking_reason": "To meet",
                }, random.choice(people), prebook=False)  # fmt: skip
