// The program whose spans are here: an HTTP server with OpenTelemetry's instrumentations for http, express and pg.
//
//     DATABASE_URL=postgresql://… node capture.cjs > OUTPUT
//
// Captured with Node 20 and PostgreSQL 15 on the tables of schema.sql. Each line is an OTLP export in JSON, as
// the collector's file exporter writes it. stable.jsonl is by @opentelemetry/sdk-trace-node 2 and
// instrumentation-pg of the same time (db.system.name, db.query.text); old.jsonl by sdk-trace-node 1.26 and
// instrumentation-pg 0.45 (db.system, db.statement).
const { NodeTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-node');
const { JsonTraceSerializer } = require('@opentelemetry/otlp-transformer');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express');
const { PgInstrumentation } = require('@opentelemetry/instrumentation-pg');
const { trace, SpanKind } = require('@opentelemetry/api');

const decoder = new TextDecoder();
const exporter = {
  export(spans, done) {
    process.stdout.write(decoder.decode(JsonTraceSerializer.serializeRequest(spans)) + '\n');
    done({ code: 0 });
  },
  async shutdown() {},
  async forceFlush() {},
};
const processor = new BatchSpanProcessor(exporter, { maxExportBatchSize: 12, scheduledDelayMillis: 50 });
const provider = new NodeTracerProvider({ spanProcessors: [processor] });
if (provider.addSpanProcessor) provider.addSpanProcessor(processor); // before version 2
provider.register();
registerInstrumentations({
  instrumentations: [new HttpInstrumentation(), new ExpressInstrumentation(), new PgInstrumentation({ enhancedDatabaseReporting: true })],
});

const express = require('express');
const { Pool } = require('pg');
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 });
const BOOKS = 'SELECT id, title, author_id FROM books ORDER BY id LIMIT $1';

// 11 statements: 10 books, and the author of each.
async function lazy() {
  for (const book of (await pool.query(BOOKS, [10])).rows) {
    await pool.query('SELECT id, name FROM authors WHERE id = $1', [book.author_id]);
  }
}

// 2 statements: 10 books, and all their authors.
async function eager() {
  const ids = (await pool.query(BOOKS, [10])).rows.map((book) => book.author_id);
  await pool.query('SELECT id, name FROM authors WHERE id = ANY($1)', [ids]);
}

const app = express();
const run = (part) => async (_request, response) => { await part(); response.send('done'); };
app.get('/shops/:shop/lazy', run(lazy));
app.get('/shops/:shop/eager', run(eager));

const server = app.listen(0, async () => {
  const get = (path) => fetch(`http://127.0.0.1:${server.address().port}${path}`).then((one) => one.text());
  await get('/shops/1/lazy');
  await get('/shops/1/eager');
  await Promise.all([get('/shops/2/lazy'), get('/shops/3/eager')]);
  // A worker's job, as BullMQ's telemetry has it.
  const tracer = trace.getTracer('worker');
  const attributes = { 'messaging.system': 'bullmq', 'bullmq.queue.name': 'mail', 'bullmq.job.name': 'digest', 'bullmq.job.id': '7' };
  await tracer.startActiveSpan('process mail', { kind: SpanKind.CONSUMER, attributes }, async (span) => {
    await lazy();
    span.end();
  });
  await provider.forceFlush();
  await pool.end();
  server.close();
});
