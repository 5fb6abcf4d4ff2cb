"""Fills a CodeRed CMS site: editors, images, articles, events, places, a form, snippets, revisions."""

import io
import json
import random
import uuid
from datetime import timedelta
from typing import Any

from coderedcms.models import Classifier, ClassifierTerm, Navbar, ReusableContent
from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.utils.timezone import now
from PIL import Image as Picture
from wagtail.contrib.redirects.models import Redirect
from wagtail.documents.models import Document
from wagtail.images.models import Image
from wagtail.models import Collection, Comment, GroupPagePermission, Page, Site, Workflow
from website.models import (
    ArticleIndexPage,
    ArticlePage,
    EventIndexPage,
    EventOccurrence,
    EventPage,
    FormPage,
    FormPageField,
    LocationIndexPage,
    LocationPage,
    WebPage,
)

PLAIN = {"custom_template": "", "custom_css_class": "", "custom_id": ""}


def seed() -> None:
    """Make everything; all chance is seeded by the caller."""
    users = _users()
    images = _files(users)
    terms = _terms()
    home = Site.objects.get().root_page
    articles = _add_index(home, ArticleIndexPage(title="News", slug="news", index_num_per_page=20))
    articles.index_classifiers.add(terms[0].classifier, terms[8].classifier)
    articles.index_classifiers.commit()
    _articles(articles, users, images, terms)
    _events(home, images)
    _places(home)
    _form(home)
    for n in range(8):
        page = home.add_child(
            instance=WebPage(
                title=f"Section {n}",
                slug=f"section{n}",
                cover_image=random.choice(images),
                show_in_menus=True,
            )
        )
        for k in range(6):
            page.add_child(
                instance=WebPage(title=f"Page {n}.{k}", slug=f"page{n}-{k}", show_in_menus=True)
            )
    _moderation(articles, users)
    for n in range(30):
        Redirect.objects.create(
            old_path=f"/old{n}", redirect_page=random.choice(Page.objects.filter(depth=4))
        )
    for n in range(12):
        ReusableContent.objects.create(name=f"Content {n}")
        Navbar.objects.create(name=f"Navbar {n}")


def _add_index(home: Any, page: Any) -> Any:
    """Add a page whose own default order its base class does not take for valid."""
    page.index_order_by = ""
    return home.add_child(instance=page)


def _users() -> list[Any]:
    admin = User.objects.create_superuser("admin", "admin@example.org", "admin")
    staff = User.objects.create_user("staff", "staff@example.org", "staff")
    staff.groups.add(*Group.objects.all())
    others = [
        User.objects.create_user(f"user{n}", f"user{n}@example.org", "x", first_name=f"First{n}")
        for n in range(25)
    ]
    for user in others:
        user.groups.add(random.choice(list(Group.objects.all())))
    for n in range(6):
        group = Group.objects.create(name=f"Group {n}")
        group.user_set.add(*random.sample(others, 5))
    return [admin, staff, *others]


def _files(users: list[Any]) -> list[Any]:
    root = Collection.get_first_root_node()
    collections = [root.add_child(name=f"Collection {n}") for n in range(8)]
    images = []
    for n in range(40):
        data = io.BytesIO()
        Picture.new("RGB", (120, 90), (n, 100, 200)).save(data, "PNG")
        image = Image(
            title=f"Image {n}", collection=random.choice(collections), uploaded_by_user=random.choice(users),
            file=ContentFile(data.getvalue(), name=f"image{n}.png"),
        )  # fmt: skip
        image.save()
        image.tags.add(*random.sample(["red", "green", "blue", "large", "small"], 2))
        images.append(image)
    for n in range(25):
        document = Document(
            title=f"Document {n}", collection=random.choice(collections), uploaded_by_user=random.choice(users),
            file=ContentFile(b"text", name=f"document{n}.txt"),
        )  # fmt: skip
        document.save()
    return images


def _terms() -> list[Any]:
    terms = []
    for n in range(5):
        classifier = Classifier.objects.create(name=f"Classifier {n}", slug=f"classifier{n}")
        for k in range(6):
            terms.append(
                ClassifierTerm.objects.create(
                    classifier=classifier, name=f"Term {n}.{k}", slug=f"term{n}-{k}", sort_order=k
                )
            )
    return terms


def block(kind: str, value: Any) -> dict[str, Any]:
    """A block of a StreamField."""
    return {"type": kind, "value": value, "id": str(uuid.UUID(int=random.getrandbits(128)))}


def _articles(index: Any, users: list[Any], images: list[Any], terms: list[Any]) -> None:
    made: list[Any] = []
    leaves: list[Any] = []  # articles that show no others: a preview shows a whole article
    for n in range(60):
        body = [block("text", f"<p>Text {n} <a linktype='page' id='{index.pk}'>news</a></p>")]
        for other in random.sample(leaves, min(len(leaves), n % 7)):
            body.append(
                block(
                    "page_preview",
                    {
                        "page": other.pk,
                        "settings": PLAIN,
                    },
                )
            )
        body += [
            block(
                "image",
                {
                    "image": image.pk,
                    "settings": PLAIN,
                },
            )
            for image in random.sample(images, n % 6)
        ]
        article = ArticlePage(
            title=f"Article {n}", slug=f"article{n}", owner=random.choice(users), author=random.choice(users),
            caption=f"Caption {n}", cover_image=random.choice(images), body=json.dumps(body),
            date_display=now() - timedelta(days=n),
        )  # fmt: skip
        index.add_child(instance=article)
        article.classifier_terms.set(random.sample(terms, 4))
        article.tags.add(*random.sample(["one", "two", "three", "four", "five", "six"], 3))
        article.save()
        for _ in range(n % 4 + 1):
            article.save_revision(user=random.choice(users), log_action=True).publish()
        made.append(article)
        if n % 7 == 0:
            leaves.append(article)
    for article in made[:10]:
        for n in range(6):
            Comment.objects.create(
                page=article, user=random.choice(users), text=f"Comment {n}", contentpath="title"
            )
    for article in made[10:16]:
        article.locked, article.locked_by, article.locked_at = True, random.choice(users), now()
        article.save()
    for article in made[16:22]:
        article.go_live_at = now() + timedelta(days=2)
        article.save_revision(user=users[0]).publish()


def _events(home: Any, images: list[Any]) -> None:
    index = _add_index(home, EventIndexPage(title="Events", slug="events"))
    for n in range(25):
        event = EventPage(title=f"Event {n}", slug=f"event{n}", cover_image=random.choice(images))
        index.add_child(instance=event)
        for k in range(n % 4 + 1):
            begin = now() + timedelta(days=n + k)
            EventOccurrence.objects.create(
                event=event, start=begin, end=begin + timedelta(hours=2), sort_order=k
            )


def _places(home: Any) -> None:
    index = home.add_child(instance=LocationIndexPage(title="Places", slug="places"))
    for n in range(20):
        index.add_child(
            instance=LocationPage(
                title=f"Place {n}",
                slug=f"place{n}",
                address=f"Street {n}",
                latitude=50 + n / 10,
                longitude=8.0,
                auto_update_latlng=False,
            )
        )


def _form(home: Any) -> None:
    page = home.add_child(instance=FormPage(title="Contact", slug="contact", button_text="Send"))
    for n, label in enumerate(("Name", "Mail", "Text")):
        FormPageField.objects.create(
            page=page,
            label=label,
            clean_name=label.lower(),
            field_type="singleline",
            sort_order=n,
            required=True,
        )
    for n in range(30):
        page.get_submission_class().objects.create(
            page=page, form_data={"name": f"Name {n}", "mail": "x", "text": "y"}
        )


def _moderation(articles: Any, users: list[Any]) -> None:
    """Pages that wait in Wagtail's default workflow, and rights that groups have on sections."""
    workflow = Workflow.objects.first()
    for page in ArticlePage.objects.child_of(articles)[22:34]:
        page.save_revision(user=random.choice(users))
        if workflow:
            workflow.start(page, random.choice(users))
    for group in Group.objects.filter(name__startswith="Group"):
        for page in WebPage.objects.filter(depth=3).order_by("?")[:3]:
            GroupPagePermission.objects.create(group=group, page=page, permission_type="change")
