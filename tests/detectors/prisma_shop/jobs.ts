// A Prisma program whose work is done by BullMQ's workers.
//
//     node jobs.ts DSN REDIS EVENTS SPANS
//
// Run by test_real_bullmq.py. All jobs are added within one trace, which W3C propagation carries into each of them.
// Writes Prisma's query events and the spans to files, and prints what it measured itself of each attempt,
// as JSON: { job, id, attempt, waited_ms, ran_ms, statements }.

import { appendFileSync, writeFileSync } from "node:fs";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaInstrumentation } from "@prisma/instrumentation";
import { queryTags, withQueryTags } from "@prisma/sqlcommenter-query-tags";
import { Queue, Worker } from "bullmq";
import { BullMQOtel } from "bullmq-otel";
import { PrismaClient } from "./generated/client.ts";

const [dsn, redis, events, spans] = process.argv.slice(2);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
trace.setGlobalTracerProvider(provider);
const instrumentation = new PrismaInstrumentation();
instrumentation.setTracerProvider(provider);
instrumentation.enable();

const prisma: any = new PrismaClient({
  adapter: new PrismaPg({ connectionString: dsn }),
  log: [{ emit: "event", level: "query" }],
  comments: [queryTags()],
});
prisma.$on("query", (event: object) => appendFileSync(events, JSON.stringify(event) + "\n"));

const work: Record<string, (job: any) => Promise<number>> = {
  /** One statement for each author. */
  async nightly(job) {
    const authors = await prisma.author.findMany({ orderBy: { id: "asc" }, skip: job.data.skip, take: 8 });
    for (const author of authors) await prisma.book.findMany({ where: { authorId: author.id } });
    return 1 + authors.length;
  },
  /** The same rows in two. */
  async batched(job) {
    await prisma.author.findMany({ orderBy: { id: "asc" }, skip: job.data.skip, take: 8, include: { books: true } });
    return 2;
  },
  /** Five statements, and then it fails, but for its third attempt. */
  async flaky(job) {
    for (const id of [1, 2, 3, 4, 5]) await prisma.review.count({ where: { bookId: id } });
    if (job.attemptsMade < 2) throw new Error("not yet");
    return 5;
  },
};
const measured: object[] = [];
const url = new URL(redis);
const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
const queue = new Queue("shop", { connection, telemetry: new BullMQOtel("shop") });
await prisma.author.count();
const root = trace.getTracer("shop");
await root.startActiveSpan("POST /jobs", async (span) => {
  for (let n = 0; n < 4; n++) await queue.add("nightly", { skip: n });
  for (let n = 0; n < 3; n++) await queue.add("batched", { skip: n });
  const retried = { attempts: 3, backoff: { type: "fixed", delay: 30 } };
  for (let n = 0; n < 2; n++) await queue.add("flaky", {}, retried);
  span.end();
});
let left = 9;
await new Promise<void>((done) => {
  const worker = new Worker(
    "shop",
    async (job) => {
      const began = Date.now();
      const tags = { queue: job.queueName, job: job.name, jobId: String(job.id) };
      try {
        return await withQueryTags(tags, () => work[job.name](job));
      } finally {
        const attempt = job.attemptsMade + 1;
        const waited_ms = attempt === 1 ? began - job.timestamp : null;
        measured.push({ job: job.name, id: job.id, attempt, waited_ms, ran_ms: Date.now() - began });
      }
    },
    { connection, concurrency: 2, telemetry: new BullMQOtel("shop") },
  );
  const finish = async () => {
    if (--left > 0) return;
    await worker.close();
    done();
  };
  worker.on("completed", finish);
});
await queue.close();
await provider.forceFlush();
const made = exporter.getFinishedSpans().map((one: any) =>
  JSON.stringify({
    traceId: one.spanContext().traceId,
    spanId: one.spanContext().spanId,
    parentSpanId: one.parentSpanContext?.spanId,
    name: one.name,
    kind: one.kind,
    startTime: one.startTime,
    duration: one.duration,
    attributes: one.attributes,
  }),
);
writeFileSync(spans, made.join("\n") + "\n");
process.stdout.write(JSON.stringify(measured) + "\n");
await prisma.$disconnect();
process.exit(0);
