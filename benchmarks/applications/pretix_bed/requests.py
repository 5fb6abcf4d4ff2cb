"""What is asked of pretix: shop, backend, API; lists, details, searches, exports, and writes."""

import random
from typing import Any

from django_scopes import scopes_disabled
from pretix.base.models import Event, Order, Organizer
from pretix_bed import seed

API = {"authorization": f"Token {seed.TOKEN}"}


def login(client: Any, who: str) -> None:
    """Log in as the backend's user."""
    if not client.login(email=f"{who}@example.org", password=who):
        raise RuntimeError(f"{who} cannot log in")


@scopes_disabled()
def plan() -> list[dict[str, Any]]:
    """All requests, in a seeded random order."""
    organizer = Organizer.objects.get(slug="org0")
    requests = _organizer_pages()
    for slug in ("ev0", "ev1"):
        event = Event.objects.get(organizer=organizer, slug=slug)
        requests += _shop(event) + _backend(event) + _api(event) + _writes(event)
    random.shuffle(requests)
    return requests


def _get(path: str, **more: Any) -> dict[str, Any]:
    return {"path": path, **more}


def _organizer_pages() -> list[dict[str, Any]]:
    control = [
        "", "events/", "organizers/", "search/orders/?query=buyer", "search/payments/", "organizer/org0/",
        "organizer/org0/teams", "organizer/org0/customers", "organizer/org0/giftcards", "organizer/org0/edit",
        "organizer/org0/devices", "organizer/org0/logs", "organizer/org0/export/", "nav/typeahead/?query=e",
        "organizer/org0/settings/plugins", "organizer/org0/channels", "organizer/org0/webhooks", "widgets.json",
        "settings/history/", "settings/notifications/", "organizer/org0/outgoingmails",
    ]  # fmt: skip
    api = ["", "org0/", "org0/events/", "org0/teams/", "org0/customers/", "org0/giftcards/", "org0/orders/",
           "org0/subevents/", "org0/orderpositions/", "org0/saleschannels/"]  # fmt: skip
    return (
        [_get(f"/control/{path}", who="admin") for path in control]
        + [_get(f"/api/v1/organizers/{path}", headers=API) for path in api]
        + [_get(f"/org{n}/") for n in range(3)]
    )


def _shop(event: Any) -> list[dict[str, Any]]:
    base = f"/org0/{event.slug}/"
    paths = ["", "checkout/start", "widget/product_list", "ical/", "redeem?voucher=VOUCHER0003"]
    if event.has_subevents:
        dates = list(event.subevents.all()[:4])
        paths += [f"{date.pk}/" for date in dates]
        paths += [f"{dates[0].pk}/widget/product_list"]
    for order in event.orders.order_by("pk")[3:9]:
        paths += [f"order/{order.code}/{order.secret}/"]
    order = event.orders.order_by("pk")[14]
    paths += [
        f"order/{order.code}/{order.secret}/{page}" for page in ("modify", "change", "cancel")
    ]
    return [_get(base + path) for path in paths]


def _backend(event: Any) -> list[dict[str, Any]]:
    orders = list(event.orders.order_by("-pk")[:6])
    lists = list(event.checkin_lists.all()[:2])
    paths = [
        "", "widgets.json", "dashboard/partials/logs", "dashboard/partials/warnings", "live/", "logs/",
        "settings/", "settings/payment", "settings/tickets", "settings/email", "settings/tax/",
        "settings/plugins", "items/", "categories/", "questions/", "quotas/", "vouchers/", "vouchers/tags/",
        "orders/", "orders/?query=Guest", "orders/?status=p&page=2", "orders/overview/", "orders/export/", "orders/refunds/",
        "waitinglist/", "checkins/", "checkinlists/", "items/select2?query=Item", "subevents/", "discounts/",
        f"items/{event.items.first().pk}/", f"quotas/{event.quotas.first().pk}/", "items/add", "orders/search",
        f"quotas/{event.quotas.first().pk}/change", f"vouchers/{event.vouchers.first().pk}/",
        f"questions/{event.questions.first().pk}/", f"questions/{event.questions.first().pk}/change",
    ]  # fmt: skip
    paths += [f"orders/{order.code}/" for order in orders]
    paths += [f"orders/{orders[0].code}/{page}" for page in ("change", "transactions/", "contact")]
    paths += [f"checkinlists/{one.pk}/" for one in lists]
    if event.has_subevents:
        paths += [f"subevents/{event.subevents.first().pk}/", "subevents/select2?query=Date"]
    return [_get(f"/control/event/org0/{event.slug}/{path}", who="staff") for path in paths]


def _api(event: Any) -> list[dict[str, Any]]:
    one = event.checkin_lists.first().pk
    order = event.orders.order_by("pk")[5]
    paths = [
        "", "items/", "categories/", "questions/", "quotas/", "quotas/?with_availability=true", "vouchers/", "orders/",
        f"orders/{order.code}/", "orderpositions/", "checkinlists/", f"checkinlists/{one}/positions/",
        f"checkinlists/{one}/status/", "waitinglistentries/", "invoices/", "taxrules/", "transactions/", "exporters/",
        f"items/{event.items.first().pk}/variations/",
    ]  # fmt: skip
    if event.has_subevents:
        paths += ["subevents/", "subevents/?with_availability_for=web"]
    return [
        _get(f"/api/v1/organizers/org0/events/{event.slug}/{path}", headers=API) for path in paths
    ]


def _writes(event: Any) -> list[dict[str, Any]]:
    """Orders, check-ins, carts, bulk actions: what posts."""
    api = f"/api/v1/organizers/org0/events/{event.slug}"
    control = f"/control/event/org0/{event.slug}"
    writes = [
        {"method": "post", "path": f"{api}/orders/", "json": seed.order(event, n), "headers": API}
        for n in (2, 3, 4, 9)
    ]
    one = event.checkin_lists.first()
    for position in one.positions.order_by("pk")[:3]:
        path = f"{api}/checkinlists/{one.pk}/positions/{position.pk}/redeem/"
        writes.append(
            {
                "method": "post",
                "path": path,
                "json": {"force": True, "questions_supported": False},
                "headers": API,
            }
        )
    positions = [str(position.pk) for position in one.positions.order_by("pk")[4:12]]
    writes.append({"method": "post", "path": f"{control}/checkinlists/{one.pk}/bulk_action", "who": "staff",
                   "data": {"checkin": positions, "action": "checkin", "returnquery": ""}})  # fmt: skip
    quotas = [str(quota.pk) for quota in event.quotas.all()[:7]]
    writes.append({"method": "post", "path": f"{control}/quotas/bulk_action", "who": "staff",
                   "data": {"quota": quotas, "action": "disable"}})  # fmt: skip
    writes.append({"method": "post", "path": f"{control}/items/reorder/{event.categories.first().pk}/", "who": "staff",
                   "json": {"ids": [str(item.pk) for item in event.categories.first().items.order_by("-pk")]}})  # fmt: skip
    item = event.items.exclude(variations__isnull=False).first()
    cart = {f"item_{item.pk}": "3"}
    if event.has_subevents:
        cart["subevent"] = str(event.subevents.first().pk)
    for _ in range(2):
        writes.append({"method": "post", "path": f"/org0/{event.slug}/cart/add", "data": cart})
        writes.append(_get(f"/org0/{event.slug}/checkout/start"))
    for order in Order.objects.filter(event=event, status="n").order_by("pk")[:3]:
        writes.append(
            {
                "method": "post",
                "path": f"{api}/orders/{order.code}/mark_paid/",
                "json": {},
                "headers": API,
            }
        )
    for order in Order.objects.filter(event=event, status="p").order_by("pk")[:2]:
        writes.append(
            {
                "method": "post",
                "path": f"{api}/orders/{order.code}/mark_canceled/",
                "json": {"send_email": False},
                "headers": API,
            }
        )
    return writes
