// Drizzle 0.45, Knex 3.3 and Objection 3.1 with pg 8.23: `node shop.mjs PORT DATABASE RUN`.
import { eq, inArray, relations } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable, serial, text } from "drizzle-orm/pg-core";
import Knex from "knex";
import { Model } from "objection";
import pg from "pg";

const [port, database, run] = process.argv.slice(2);
const address = { host: "127.0.0.1", port: Number(port), user: "postgres", database };

const person = pgTable("person", { nr: serial("nr").primaryKey(), bez: text("bez"), chef: integer("chef") });
const werk = pgTable("werk", {
  nr: serial("nr").primaryKey(), titel: text("titel"), wer: integer("wer"), haus: integer("haus"),
});
const stimme = pgTable("stimme", { nr: serial("nr").primaryKey(), zu: integer("zu"), punkte: integer("punkte") });
const spiel = pgTable("spiel", { nr: serial("nr").primaryKey(), heim: integer("heim"), gast: integer("gast") });
const ofPerson = relations(person, ({ many }) => ({ werke: many(werk) }));
const ofWerk = relations(werk, ({ one }) => ({
  autor: one(person, { fields: [werk.wer], references: [person.nr] }),
}));

const pool = new pg.Pool({ ...address, max: 4 });
const db = drizzle(pool, { schema: { person, werk, ofPerson, ofWerk } });
const knex = Knex({ client: "pg", connection: address, pool: { min: 1, max: 4 } });

class Person extends Model {
  static tableName = "person";
  static idColumn = "nr";
  static relationMappings = () => ({
    werke: { relation: Model.HasManyRelation, modelClass: Werk, join: { from: "person.nr", to: "werk.wer" } },
  });
}
class Werk extends Model {
  static tableName = "werk";
  static idColumn = "nr";
}
Model.knex(knex);

const ids = [3, 9, 14, 22, 31, 38, 44, 52, 57];
const worksOf = (nr) => db.select().from(werk).where(eq(werk.wer, nr));

const runs = {
  async drizzle_lazy() {
    for (const one of await db.select().from(person).limit(15)) await worksOf(one.nr);
  },
  async drizzle_parallel() {
    await Promise.all((await db.select().from(person).limit(15)).map((one) => worksOf(one.nr)));
  },
  async drizzle_eager() {
    await db.query.person.findMany({ limit: 15, with: { werke: true } });
  },
  async drizzle_batched() {
    const some = await db.select().from(person).limit(15);
    await db.select().from(werk).where(inArray(werk.wer, some.map((one) => one.nr)));
  },
  async drizzle_nested() {
    for (const one of await db.select().from(person).limit(8))
      for (const its of await worksOf(one.nr)) await db.select().from(stimme).where(eq(stimme.zu, its.nr));
  },
  async drizzle_list_lazy() {
    for (const one of await db.select().from(person).where(inArray(person.nr, ids))) await worksOf(one.nr);
  },
  // The works of others than those that were read.
  async drizzle_other_ids() {
    await db.select().from(person).where(inArray(person.nr, [51, 52, 53, 54, 55, 56, 57]));
    for (const nr of [3, 8, 12, 7, 16, 20, 33, 41]) await worksOf(nr);
  },
  // Two keys refer to persons: the one that the list is filtered by tells nothing new.
  async drizzle_two_keys() {
    for (const one of await db.select().from(spiel).where(eq(spiel.heim, 4)))
      await db.select().from(person).where(eq(person.nr, one.gast));
  },
  async knex_lazy() {
    for (const one of await knex("werk").limit(20)) await knex("person").where({ nr: one.wer }).first();
  },
  async knex_pages() {
    for (let last = 0, rows; ; last = rows.at(-1).nr) {
      rows = await knex("person").where("nr", ">", last).orderBy("nr").limit(10);
      if (!rows.length) break;
    }
  },
  async objection_lazy() {
    for (const one of await Person.query().limit(15)) await one.$relatedQuery("werke");
  },
  async objection_eager() {
    await Person.query().limit(15).withGraphFetched("werke");
  },
};
await runs[run]();
await pool.end();
await knex.destroy();
