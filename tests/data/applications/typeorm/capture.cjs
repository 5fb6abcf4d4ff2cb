// The program whose log is here: TypeORM's logging.
//
//     DATABASE_URL=postgresql://… node capture.cjs > OUTPUT
//
// Captured with TypeORM 1.1, pg 8, Node 20 and PostgreSQL 15 on the tables of schema.sql: simple.log is what
// `logging: ['query'], logger: 'simple-console'` prints, advanced.log the default logger in colour.
const { DataSource, EntitySchema } = require('typeorm');

const id = { type: 'int8', primary: true, generated: 'increment' };
const Author = new EntitySchema({ name: 'Author', tableName: 'authors', columns: { id, name: { type: 'text' } } });
const Book = new EntitySchema({
  name: 'Book',
  tableName: 'books',
  columns: { id, title: { type: 'text' } },
  relations: { author: { type: 'many-to-one', target: 'Author', joinColumn: { name: 'author_id' }, lazy: true } },
});
const source = new DataSource({
  type: 'postgres',
  url: process.env.DATABASE_URL,
  entities: [Author, Book],
  logging: ['query'],
  logger: process.argv[2],
  extra: { max: 1 },
});

// 11 statements: 10 books, and the author of each.
async function lazy() {
  for (const book of await source.getRepository(Book).find({ order: { id: 'ASC' }, take: 10 })) await book.author;
}

// 1 statement: 10 books with their authors.
async function eager() {
  await source.getRepository(Book).createQueryBuilder('book').leftJoinAndSelect('book.author', 'author').orderBy('book.id').limit(10).getMany();
}

// 4 statements: a transaction with a write, a text of several lines.
async function others() {
  await source.transaction(async (manager) => {
    await manager.update(Author, { id: 3 }, { name: 'it\'s "quoted" -- PARAMETERS: ["x"]\nnew' });
    await manager.query("SELECT count(*)\n  FROM books\n WHERE title <> $1", ['author 3']);
  });
}

(async () => {
  await source.initialize();
  for (const part of [lazy, eager, others]) await part();
  await source.destroy();
})();
