// Logs each read of a cache, for `pg95 cache`: a JSON line {ts, route, op, key_prefix, hit}.
// For node-redis (4 and later) and ioredis (5 and later).
//
//     import { logReads, routes } from "./cache-reads.mjs";
//     const client = logReads(createClient(…), "cache-reads.jsonl");     // node-redis
//     const client = logReads(new Redis(…), "cache-reads.jsonl");        // ioredis
//     app.use((request, response, next) => routes.run(`${request.method} ${request.path}`, next));
//
// Keys are logged with numbers and ids in them as *, values never. Reads within multi(), pipelines and scripts are
// not seen. The application goes on whatever becomes of the log.

import { AsyncLocalStorage } from "node:async_hooks";
import { createWriteStream } from "node:fs";

/** Holds the route of the request that runs. */
export const routes = new AsyncLocalStorage();

const VARIABLE = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,}|\d+/gi;
const isHit = (value) => value !== null && value !== undefined;
const hasFields = (value) => isHit(value) && Object.keys(value).length > 0;

const single = ([key], value) => [[key, isHit(value)]];

// By operation: its method in ioredis and in node-redis, and for each key asked for whether the answer has it.
const READS = {
  get: { methods: ["get"], found: single },
  getex: { methods: ["getex", "getEx"], found: single },
  hget: { methods: ["hget", "hGet"], found: single },
  hgetall: { methods: ["hgetall", "hGetAll"], found: ([key], value) => [[key, hasFields(value)]] },
  mget: { methods: ["mget", "mGet"], found: (given, values) => given.flat().map((key, n) => [key, isHit(values[n])]) },
};

/** Log all reads of a client from now on, appending to the file `path`; gives the client. */
export function logReads(client, path) {
  const log = createWriteStream(path, { flags: "a" });
  log.on("error", () => {});
  for (const [op, { methods, found }] of Object.entries(READS)) {
    const method = methods.find((name) => typeof client[name] === "function");
    const original = client[method].bind(client);
    client[method] = async (...given) => {
      const answer = await original(...given);
      try {
        for (const [key, hit] of found(given, answer)) {
          const key_prefix = String(key).replace(VARIABLE, "*").slice(0, 100);
          log.write(JSON.stringify({ ts: Date.now(), route: routes.getStore(), op, key_prefix, hit }) + "\n");
        }
      } catch {
        // What cannot be logged is no reason to fail a read.
      }
      return answer;
    };
  }
  return client;
}
