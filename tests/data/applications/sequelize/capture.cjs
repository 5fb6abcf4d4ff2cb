// The program whose logs are here: Sequelize's logging.
//
//     DATABASE_URL=postgresql://… node capture.cjs plain|benchmark > OUTPUT
//
// Captured with Sequelize 6.37, pg 8, Node 20 and PostgreSQL 15 on the tables of schema.sql: plain.log is what
// `logging: console.log` prints, benchmark.log the same with `benchmark: true, logQueryParameters: true`.
const { DataTypes, Sequelize } = require('sequelize');

const benchmark = process.argv[2] === 'benchmark';
const sequelize = new Sequelize(process.env.DATABASE_URL, {
  logging: console.log,
  benchmark,
  logQueryParameters: benchmark,
});
const options = { timestamps: false, underscored: true };
const Author = sequelize.define('author', { name: DataTypes.TEXT }, { ...options, tableName: 'authors' });
const Book = sequelize.define('book', { title: DataTypes.TEXT }, { ...options, tableName: 'books' });
Book.belongsTo(Author, { foreignKey: 'author_id' });

// 11 statements: 10 books, and the author of each.
async function lazy() {
  for (const book of await Book.findAll({ order: ['id'], limit: 10 })) await book.getAuthor();
}

// 2 statements: 10 books, and all their authors.
async function eager() {
  const books = await Book.findAll({ order: ['id'], limit: 10 });
  await Author.findAll({ where: { id: books.map((book) => book.author_id) } });
}

// 5 statements: a transaction with a write, a text of several lines, an INSERT that is undone.
async function others() {
  const transaction = await sequelize.transaction();
  await Author.update({ name: 'author 3' }, { where: { id: 3 }, transaction });
  await sequelize.query("SELECT count(*)\n  FROM books\n WHERE title <> 'Elapsed time: 1ms; it''s'", { transaction });
  await Author.create({ name: 'it\'s "quoted", \\ and\nnew' }, { transaction });
  await transaction.rollback();
}

(async () => {
  for (const part of [lazy, eager, others]) await part();
  await sequelize.close();
})();
