"""Fills pretix: organizers, events, a series of dates, products, orders (through its API), vouchers."""

import json
import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils.timezone import now
from django_scopes import scopes_disabled
from pretix.base.models import Customer, Event, Organizer, Team, User

TOKEN = "bedtoken0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghij"  # noqa: S105  # of a scratch server


@scopes_disabled()
def seed() -> None:
    """Make everything; all chance is seeded by the caller."""
    admin = User.objects.create_superuser("admin@example.org", "admin")
    staff = User.objects.create_user("staff@example.org", "staff")
    ContentType.objects.clear_cache()
    organizers = [Organizer.objects.create(name=f"Organizer {n}", slug=f"org{n}") for n in range(6)]
    for organizer in organizers:
        team = Team.objects.create(
            organizer=organizer, name="Everybody", all_events=True,
            all_event_permissions=True, all_organizer_permissions=True,
        )  # fmt: skip
        team.members.add(admin, staff)
    team.tokens.create(name="bed")
    main = organizers[0]
    main_team = main.teams.first()
    main_team.tokens.create(name="bed", token=TOKEN)
    for n in range(12):
        some = Team.objects.create(organizer=main, name=f"Team {n}", all_events=bool(n % 2))
        some.members.add(*random.sample([admin, staff], 1))
        for k in range(3):
            some.members.add(User.objects.create_user(f"member{n}-{k}@example.org", "x"))
    main.settings.customer_accounts = True
    for n in range(30):
        Customer.objects.create(
            organizer=main, identifier=f"CUST{n:04d}", email=f"customer{n}@example.org",
            name_parts={"_scheme": "full", "full_name": f"Customer {n}"}, is_active=True, is_verified=True,
        )  # fmt: skip
        main.issued_gift_cards.create(currency="EUR", secret=f"CARD{n:05d}").transactions.create(
            value=Decimal(10 + n), acceptor=main
        )
    for organizer in organizers:
        for n in range(8 if organizer is main else 2):
            _event(organizer, f"ev{n}", series=n == 1)
    _orders(main)


def _event(organizer: Any, slug: str, *, series: bool) -> Any:
    event = Event.objects.create(
        organizer=organizer, name=f"Event {slug} of {organizer.slug}", slug=slug,
        currency="EUR", date_from=now() + timedelta(days=random.randint(3, 90)),
        plugins="pretix.plugins.banktransfer,pretix.plugins.ticketoutputpdf,pretix.plugins.statistics,"
        "pretix.plugins.checkinlists,pretix.plugins.sendmail,pretix.plugins.reports,pretix.plugins.badges",
        is_public=True, live=True, has_subevents=series,
    )  # fmt: skip
    event.settings.timezone = "UTC"
    event.settings.payment_banktransfer__enabled = True
    event.settings.attendee_names_asked = True
    event.settings.waiting_list_enabled = True
    tax = event.tax_rules.create(name="VAT", rate=Decimal(19))
    dates = [
        event.subevents.create(
            name=f"Date {n}", active=True, date_from=now() + timedelta(days=3 + n)
        )
        for n in range(18 if series else 0)
    ]
    items = []
    for c in range(4):
        category = event.categories.create(name=f"Category {c}", position=c)
        for n in range(4):
            item = event.items.create(
                name=f"Item {c}.{n}", category=category, default_price=Decimal(10 + n),
                tax_rule=tax, admission=c < 2, personalized=c < 2, position=n,
            )  # fmt: skip
            if n % 2:
                for v in range(3):
                    item.variations.create(value=f"Variation {v}", position=v)
            items.append(item)
    _quotas(event, items, dates)
    for n in range(8):
        question = event.questions.create(question=f"Question {n}?", type="C", identifier=f"Q{n}")
        for k in range(4):
            question.options.create(answer=f"Answer {k}", identifier=f"O{n}{k}")
        question.items.add(*random.sample(items, 4))
    for n in range(7):
        event.checkin_lists.create(
            name=f"List {n}", all_products=n < 4, subevent=dates[n] if dates else None
        )
    for n in range(25):
        event.vouchers.create(
            code=f"VOUCHER{n:04d}", item=random.choice(items), max_usages=n % 5 + 1,
            tag=f"tag{n % 6}", subevent=random.choice(dates) if dates else None,
        )  # fmt: skip
    for n in range(15):
        item = random.choice(items)
        event.waitinglistentries.create(
            email=f"waiting{n}@example.org", item=item, variation=item.variations.first(),
            subevent=random.choice(dates) if dates else None, locale="en",
        )  # fmt: skip
    return event


def _quotas(event: Any, items: list[Any], dates: list[Any]) -> None:
    for date in dates or [None]:
        for n in range(4 if date else 9):
            quota = event.quotas.create(name=f"Quota {n}", size=200, subevent=date)
            for item in items[n :: 4 if date else 9]:
                quota.items.add(item)
                quota.variations.add(*item.variations.all())


def _orders(organizer: Any) -> None:
    """Orders as an integration makes them: posted to the API."""
    client = Client(headers={"host": "localhost", "authorization": f"Token {TOKEN}"})
    for event in organizer.events.order_by("slug"):
        for n in range({"ev0": 60, "ev1": 40}.get(event.slug, 6)):
            body = order(event, n)
            url = f"/api/v1/organizers/{organizer.slug}/events/{event.slug}/orders/"
            answer = client.post(url, json.dumps(body), content_type="application/json")
            if answer.status_code != 201:
                raise RuntimeError(answer.content.decode()[:2000])


def order(event: Any, n: int) -> dict[str, Any]:
    """The body that creates an order of one to five tickets."""
    positions = []
    for number in range(n % 5 + 1):
        item = random.choice(list(event.items.all()))
        variation = item.variations.order_by("?").first()
        answers = [
            {"question": question.pk, "answer": "x", "options": [question.options.first().pk]}
            for question in event.questions.filter(items=item)
        ]
        positions.append(
            {
                "positionid": number + 1, "item": item.pk, "variation": variation and variation.pk,
                "price": "23.00", "attendee_name_parts": {"full_name": f"Guest {n}.{number}"},
                "attendee_email": f"guest{n}@example.org" if item.personalized else None,
                "answers": answers,
                "subevent": event.subevents.order_by("?").first().pk if event.has_subevents else None,
            }
        )  # fmt: skip
        if not item.personalized:
            del positions[-1]["attendee_name_parts"]
    return {
        "email": f"buyer{n}@example.org", "locale": "en", "sales_channel": "web",
        "status": "p" if n % 3 else "n", "payment_provider": "manual",
        "invoice_address": {"company": f"Company {n}", "name_parts": {"full_name": f"Buyer {n}"}, "country": "DE"},
        "positions": positions, "force": True,
    }  # fmt: skip
