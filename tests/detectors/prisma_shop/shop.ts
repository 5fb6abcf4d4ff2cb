// A Prisma program that lists authors with their publisher, their books and the books' reviews.
//
//     node shop.ts DSN EVENTS lazily|at-once|batched|eagerly|joined
//     node shop.ts DSN EVENTS lazily author 'include: { books: true }' book 'include: { reviews: true }'
//
// Run by test_real_prisma.py. What is included with a model's query, as a report recommends, is not
// asked for in the loop. Writes Prisma's query events to the file EVENTS, a JSON line each, and prints
// what it saw as JSON: [publisher's name, [[book's id, [review's id, …]], …]] for each author.

import { appendFileSync } from "node:fs";
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "./generated/client.ts";

const [dsn, events, how, ...advice] = process.argv.slice(2);
const prisma: any = new PrismaClient({
  adapter: new PrismaPg({ connectionString: dsn }),
  log: [{ emit: "event", level: "query" }],
});
prisma.$on("query", (event: object) => appendFileSync(events, JSON.stringify(event) + "\n"));

const first = { orderBy: { id: "asc" }, take: 12 };
const whole = { publisher: true, books: { include: { reviews: true } } };

/** What to include with a model's query, from the command line; undefined for nothing. */
function included(model: string): any {
  const parts = advice.flatMap((name, n) =>
    n % 2 === 0 && name === model ? [new Function(`return ({ ${advice[n + 1]} }).include`)()] : [],
  );
  return parts.length ? Object.assign({}, ...parts) : undefined;
}

/** One statement for each author, and for each of their books, unless it came with the query above. */
async function lazily(): Promise<any[]> {
  const [withAuthor, withBook] = [included("author"), included("book")];
  if (withAuthor?.books && withBook) withAuthor.books = { include: withBook };
  const authors = await prisma.author.findMany({ ...first, include: withAuthor });
  for (const author of authors) {
    author.publisher ??= await prisma.publisher.findUnique({ where: { id: author.publisherId } });
    author.books ??= await prisma.book.findMany({ where: { authorId: author.id }, include: withBook });
    for (const book of author.books) {
      book.reviews ??= await prisma.review.findMany({ where: { bookId: book.id } });
    }
  }
  return authors;
}

/** The same statements, over all connections of the pool. */
async function atOnce(): Promise<any[]> {
  const authors = await prisma.author.findMany(first);
  await Promise.all(
    authors.map(async (author: any) => {
      author.publisher = await prisma.publisher.findFirst({ where: { id: author.publisherId } });
      author.books = await prisma.book.findMany({ where: { authorId: author.id } });
      await Promise.all(
        author.books.map(async (book: any) => {
          book.reviews = await prisma.review.findMany({ where: { bookId: book.id } });
        }),
      );
    }),
  );
  return authors;
}

/** findUnique of one tick, which Prisma sends as one statement. */
async function batched(): Promise<any[]> {
  const authors = await prisma.author.findMany(first);
  const [publishers, books] = await Promise.all([
    Promise.all(
      authors.map((author: any) => prisma.author.findUnique({ where: { id: author.id } }).publisher()),
    ),
    Promise.all(
      authors.map((author: any) =>
        prisma.author.findUnique({ where: { id: author.id } }).books({ include: { reviews: true } }),
      ),
    ),
  ]);
  return authors.map((author: any, n: number) => ({
    ...author,
    publisher: publishers[n],
    books: books[n],
  }));
}

const ways: Record<string, () => Promise<any[]>> = {
  lazily,
  "at-once": atOnce,
  batched,
  eagerly: () => prisma.author.findMany({ ...first, include: whole }),
  joined: () => prisma.author.findMany({ ...first, include: whole, relationLoadStrategy: "join" }),
};
const seen = (await ways[how]()).map((author: any) => [
  author.publisher.name,
  author.books.map((book: any) => [book.id, book.reviews.map((review: any) => review.id)]),
]);
process.stdout.write(JSON.stringify(seen) + "\n");
await prisma.$disconnect();
