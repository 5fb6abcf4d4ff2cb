"""What is asked of the site: its pages, Wagtail's admin, the API; searches and reports, and writes."""

import random
from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from wagtail.documents.models import Document
from wagtail.images.models import Image
from wagtail.models import Page, Workflow
from website.models import ArticlePage, EventPage, FormPage


def login(client: Any, who: str) -> None:
    """Log in as one of Wagtail's users."""
    if not client.login(username=who, password=who):
        raise RuntimeError(f"{who} cannot log in")


def plan() -> list[dict[str, Any]]:
    """All requests, in a seeded random order."""
    requests = _site() + _api() + _admin() + _writes()
    random.shuffle(requests)
    return requests


def _get(path: str, **more: Any) -> dict[str, Any]:
    return {"path": path, **more}


def _site() -> list[dict[str, Any]]:
    paths = ["/", "/news/", "/news/?p=2", "/news/?c=term0-1", "/events/", "/places/", "/contact/", "/sitemap.xml",
             "/search/?s=Article", "/search/?s=Event", "/search/?s=Page", "/section1/", "/section2/page2-3/", "/robots.txt"]  # fmt: skip
    paths += [f"/news/article{n}/" for n in (0, 3, 5, 11, 19, 24, 30, 34, 40, 47, 55, 58)]
    paths += [f"/events/event{n}/" for n in (0, 7, 11)] + ["/places/place3/"]
    return [_get(path) for path in paths]


def _api() -> list[dict[str, Any]]:
    paths = [
        "pages/", "pages/?limit=20", "pages/?type=website.ArticlePage&fields=*", "images/", "images/?fields=*", "documents/",
        "documents/?fields=*", "pages/?search=article", f"pages/{ArticlePage.objects.first().pk}/", f"images/{Image.objects.first().pk}/",
        "pages/?type=website.EventPage&fields=_,title,id", "pages/?order=-id&fields=first_published_at", "images/?tags=red",
        f"pages/?child_of={Page.objects.get(slug='news').pk}&limit=20",
    ]  # fmt: skip
    return [_get(f"/api/v2/{path}") for path in paths]


def _admin() -> list[dict[str, Any]]:
    news = Page.objects.get(slug="news").pk
    home = Page.objects.get(slug="home").pk
    form = FormPage.objects.first().pk
    articles = list(ArticlePage.objects.order_by("pk")[:40:8])
    image, document = Image.objects.first().pk, Document.objects.first().pk
    paths = [
        "", "pages/", f"pages/{home}/", f"pages/{news}/", f"pages/{news}/?p=2", f"pages/{news}/?ordering=ord", f"pages/{home}/edit/",
        "pages/search/?q=Article", "pages/search/?q=Page&content_type=website.webpage", f"pages/{news}/add_subpage/",
        f"pages/add/website/articlepage/{news}/", "images/", "images/?q=Image", "images/?p=2", "images/add/", f"images/{image}/",
        "images/chooser/", "documents/", "documents/?q=Document", "documents/chooser/", f"documents/edit/{document}/", "users/", "users/?q=First",
        f"users/edit/{User.objects.last().pk}/", "groups/", f"groups/edit/{Group.objects.first().pk}/", f"groups/{Group.objects.last().pk}/users/",
        "collections/", "collections/add/", "sites/", "redirects/", "redirects/?q=old1", "workflows/list/", f"workflows/edit/{Workflow.objects.first().pk}/",
        "workflows/tasks/index/", "reports/locked/", "reports/workflow/", "reports/workflow_tasks/", "reports/site-history/", "reports/aging-pages/",
        "reports/page-types-usage/", "reports/site-history/?user=1", "forms/", f"forms/submissions/{form}/", "snippets/", "snippets/coderedcms/classifier/",
        "snippets/coderedcms/reusablecontent/", "snippets/coderedcms/navbar/", "choose-page/", f"choose-page/{news}/", "choose-page/search/?q=Article",
        f"images/usage/{image}/", f"documents/usage/{document}/", "account/", f"pages/{news}/history/", "pages/usage/website/articlepage/",
        f"bulk/wagtailcore/page/publish/?next=/admin/&id={articles[0].pk}&id={articles[1].pk}&id={articles[2].pk}",
        f"bulk/wagtailcore/page/delete/?next=/admin/&id={articles[0].pk}&id={articles[1].pk}&id={articles[2].pk}&id={articles[3].pk}&id={articles[4].pk}",
        f"pages/{news}/delete/", f"pages/{home}/copy/", f"pages/{news}/move/", f"pages/{news}/privacy/", "reports/locked/?export=csv",
        "reports/aging-pages/?export=csv", f"forms/submissions/{form}/?export=csv", "users/?ordering=name", "documents/?p=2",
        f"api/main/pages/?child_of={news}&for_explorer=1&fields=parent", "api/main/images/?limit=20&fields=*",
    ]  # fmt: skip
    for article in articles:
        paths += [
            f"pages/{article.pk}/edit/",
            f"pages/{article.pk}/history/",
            f"pages/{article.pk}/usage/",
        ]
    paths += [f"snippets/coderedcms/classifier/edit/{n}/" for n in (1, 2)]
    both = [_get(f"/admin/{path}", who="admin") for path in paths]
    return both + [
        _get(f"/admin/{path}", who="staff")
        for path in (
            "",
            "pages/",
            f"pages/{news}/",
            f"pages/{home}/",
            "images/",
            "documents/",
            "pages/search/?q=Article",
            f"pages/{articles[0].pk}/edit/",
            "reports/locked/",
        )
    ]


def _writes() -> list[dict[str, Any]]:
    writes = []

    def post(path: str, data: Any, who: str = "admin") -> None:
        writes.append(
            {"method": "post", "path": path, "data": data, **({"who": who} if who else {})}
        )

    articles = list(ArticlePage.objects.order_by("pk"))
    home, news = Page.objects.get(slug="home"), Page.objects.get(slug="news")
    for n in range(4):
        post("/contact/", {"name": f"Visitor {n}", "mail": "m", "text": "t"}, who="")
    for article in articles[36:40]:
        path = f"/admin/pages/{article.pk}/edit/"
        post(path, {**_form_at(path), "title": f"{article.title}, edited", "action-publish": "1"})
    event = EventPage.objects.last()
    path = f"/admin/pages/{event.pk}/edit/"
    post(path, {**_form_at(path), "title": "Edited"})
    section = Page.objects.get(slug="section3")
    post(f"/admin/pages/{section.pk}/copy/", {
        "new_title": "Copy", "new_slug": "copy", "new_parent_page": home.pk, "copy_subpages": "on", "publish_copies": "on",
    })  # fmt: skip
    moved = Page.objects.get(slug="section4")
    post(f"/admin/pages/{moved.pk}/move/{section.pk}/confirm/", {})
    ids = "&".join(f"id={article.pk}" for article in articles[44:50])
    post(f"/admin/bulk/wagtailcore/page/unpublish/?next=/admin/&{ids}", {"next": "/admin/"})
    post(f"/admin/bulk/wagtailcore/page/publish/?next=/admin/&{ids}", {"next": "/admin/"})
    ids = "&".join(f"id={article.pk}" for article in articles[50:54])
    post(f"/admin/bulk/wagtailcore/page/delete/?next=/admin/&{ids}", {"next": "/admin/"})
    post(f"/admin/pages/{Page.objects.get(slug='section5').pk}/delete/", {"next": "/admin/"})
    post(
        f"/admin/pages/{Page.objects.get(slug='section6').pk}/unpublish/",
        {"include_descendants": "on"},
    )
    ids = "&".join(f"id={image.pk}" for image in Image.objects.order_by("-pk")[:8])
    post(
        f"/admin/bulk/wagtailimages/image/add_tags/?next=/admin/&{ids}",
        {"tags": "bulk, more", "next": "/admin/"},
    )
    post(
        f"/admin/bulk/wagtailimages/image/add_to_collection/?next=/admin/&{ids}",
        {"collection": "3", "next": "/admin/"},
    )
    ids = "&".join(f"id={user.pk}" for user in User.objects.order_by("-pk")[:7])
    post(
        f"/admin/bulk/auth/user/assign_role/?next=/admin/&{ids}",
        {"role": Group.objects.first().pk, "next": "/admin/"},
    )
    post(
        "/admin/redirects/add/",
        {"old_path": "/fresh", "is_permanent": "on", "redirect_page": news.pk},
    )
    path = f"/admin/groups/edit/{Group.objects.last().pk}/"
    post(path, {**_form_at(path), "name": "Renamed"})
    for n in range(3):
        post(f"/admin/pages/{articles[n].pk}/lock/", {"next": "/admin/"})
    return writes


class _Fields(HTMLParser):
    """The fields of the forms in a page, as a browser sends them (without what scripts add)."""

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, Any] = {}
        self._area = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "input" and name:
            kind = given.get("type", "text")
            if kind not in ("submit", "button", "file") and (
                kind not in ("checkbox", "radio") or "checked" in given
            ):
                self.data[name] = given.get("value", "on" if kind == "checkbox" else "")
        elif tag == "textarea" and name:
            self._area = name
            self.data[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.data[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.data[self._area] += data


def _form_at(path: str) -> dict[str, Any]:
    """What a browser would post back from an edit view; StreamFields, which scripts draw, are emptied."""
    client = Client(headers={"host": "localhost"})
    login(client, "admin")
    fields = _Fields()
    fields.feed(client.get(path).content.decode())
    return {**fields.data, "body-count": "0", "content_walls-count": "0"}
