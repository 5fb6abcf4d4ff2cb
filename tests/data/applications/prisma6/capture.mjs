// The program whose logs are here: Prisma 6's query events, and its stdout.
//
//     DATABASE_URL=postgresql://… node capture.mjs events|stdout > OUTPUT
//
// Captured with Prisma 6.19.3 (client engine, @prisma/adapter-pg, Node 20) and PostgreSQL 15 on the tables
// of schema.sql: query_events.jsonl has what $on("query") gives;
// stdout.txt what `log: ["query", "info", "warn", "error"]` prints, stdout_colour.txt the same in colour.
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@prisma/client';

const events = process.argv[2] === 'events';
const prisma = new PrismaClient({
  adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }),
  log: events ? [{ emit: 'event', level: 'query' }] : ['query', 'info', 'warn', 'error'],
});
if (events) prisma.$on('query', (event) => console.log(JSON.stringify(event)));

// 11 statements: 10 books, and the author of each.
async function lazy() {
  for (const book of await prisma.book.findMany({ orderBy: { id: 'asc' }, take: 10 })) {
    await prisma.author.findMany({ where: { id: book.authorId } });
  }
}

// 2 statements: 10 books, and all their authors.
async function eager() {
  await prisma.book.findMany({ orderBy: { id: 'asc' }, take: 10, include: { author: true } });
}

// 4 events: a transaction of two statements (its BEGIN is no event), values of many kinds. An error is none.
async function others() {
  await prisma.$transaction(async (tx) => {
    await tx.author.update({ where: { id: 3n }, data: { name: 'it\'s "quoted", \\ and\nnew' } });
    await tx.author.update({ where: { id: 3n }, data: { name: 'author 3' } });
  });
  await prisma.$queryRaw`SELECT ${null}::int AS a, ${new Date(0)}::timestamptz AS b, ${[1, 2]}::int[] AS c,
    ${Buffer.from('x')}::bytea AS d, ${1.5}::float8 AS e`;
  await prisma.$queryRawUnsafe('SELECT nope').catch(() => {});
}

for (const part of [lazy, eager, others, lazy]) {
  await part();
  await new Promise((resolve) => setTimeout(resolve, 300));
}
await prisma.$disconnect();
