"""Tortoise ORM 1.1 with asyncpg: `shop_tortoise.py PORT DATABASE RUN`."""

import asyncio
import sys

from tortoise import Tortoise, fields
from tortoise.models import Model

port, name, run = sys.argv[1:]


class Person(Model):
    nr = fields.IntField(primary_key=True)
    bez = fields.TextField()

    class Meta:
        table = "person"


class Werk(Model):
    nr = fields.IntField(primary_key=True)
    titel = fields.TextField()
    wer = fields.ForeignKeyField("models.Person", related_name="werke", source_field="wer")

    class Meta:
        table = "werk"


async def lazy_children() -> None:
    for one in await Person.all().limit(15):
        await one.werke.all()


async def prefetched() -> None:
    for one in await Person.all().limit(15).prefetch_related("werke"):
        list(one.werke)


async def main() -> None:
    address = f"asyncpg://postgres@127.0.0.1:{port}/{name}"
    await Tortoise.init(db_url=address, modules={"models": ["__main__"]})
    await globals()[run]()
    await Tortoise.close_connections()


asyncio.run(main())
