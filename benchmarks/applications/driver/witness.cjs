// The truth of a run of an application of Node.js: what witness.py is to those in Python.
//
// Every statement goes through the driver `pg`, whatever ORM wrote it. Around its `query` the witness
// writes a JSON line for each: the request (which asynchronous context the caller is in), the text, the
// values and the call path. It writes beside the SQL, never into it (`tagged` is for the tagged run
// only). The call path is the stack with its asynchronous callers, without frames of Node.js, of the
// driver, the ORM, and of what calls resolvers and controllers.

"use strict";

const { AsyncLocalStorage } = require("node:async_hooks");
const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");

// Frames that say how a statement reached the driver, or who called the application, not who asked.
const BELOW =
  /^node:|\/node_modules\/(?:pg|pg-pool|typeorm|graphql|express|router|rxjs|dataloader|@nestjs|@apollo|@graphql-tools)\/|\/driver\/|Promise\.all/;
const HEADER = "x-bed-request";

class Witness {
  constructor(output, site, { tagged }) {
    this.output = fs.openSync(output, "w");
    this.roots = [`${site}/node_modules/`, `${site}/`];
    this.tagged = tagged;
    this.requests = new AsyncLocalStorage();
    this.statements = 0;
  }

  // From now on see what `pg` sends, and know requests by the header that the driver gives them.
  watch(pg) {
    const witness = this;
    const { query } = pg.Client.prototype;
    pg.Client.prototype.query = function (config, ...rest) {
      const request = witness.requests.getStore();
      const text = typeof config === "string" ? config : config.text;
      if (!request || !text) return query.call(this, config, ...rest);
      const values = Array.isArray(rest[0]) ? rest[0] : config.values;
      const sent = witness.tagged ? witness.withComment(text, request) : text;
      witness.see(request, sent, values);
      const given = typeof config === "string" ? sent : Object.assign(config, { text: sent });
      return query.call(this, given, ...rest);
    };
    const { emit } = http.Server.prototype;
    http.Server.prototype.emit = function (event, ...rest) {
      const told = event === "request" && rest[0].headers[HEADER];
      if (!told) return emit.call(this, event, ...rest);
      const request = { ...JSON.parse(told), trace: randomBytes(16).toString("hex") };
      return witness.requests.run(request, () => emit.call(this, event, ...rest));
    };
  }

  // The statement with a comment as sqlcommenter writes it: one trace a request, one span each.
  withComment(text, request) {
    const parent = `00-${request.trace}-${randomBytes(8).toString("hex")}-01`;
    return `${text} /*framework='nestjs',route='${encodeURIComponent(request.route)}',traceparent='${parent}'*/`;
  }

  see(request, statement, values) {
    this.statements += 1;
    const line = {
      request: request.number,
      route: request.route,
      statement,
      parameters: values && values.length ? JSON.stringify(values) : null,
      path: this.path(),
      at: Math.round((performance.timeOrigin + performance.now()) * 1000) / 1e6,
    };
    fs.writeSync(this.output, `${JSON.stringify(line)}\n`);
  }

  // Where the statement was asked for, outermost first: file:line.
  path() {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 400;
    const frames = new Error().stack.split("\n").slice(1);
    Error.stackTraceLimit = limit;
    return frames
      .map((frame) => /\(?((?:node:|\/)[^()]*):(\d+):\d+\)?$/.exec(frame))
      .filter((found) => found && !BELOW.test(found[1]))
      .map(([, file, line]) => `${this.name(file)}:${line}`)
      .reverse();
  }

  // A file's name without the place where it is installed.
  name(file) {
    const root = this.roots.find((one) => file.startsWith(one));
    return root ? file.slice(root.length) : file;
  }
}

module.exports = { HEADER, Witness };
