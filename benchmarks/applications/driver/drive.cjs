// Drives one process of an application of Node.js, as drive.py does those in Python, with the same jobs:
//
//     drive.cjs node APPLICATION seed PLAN             make the tables, fill them, write the requests
//     drive.cjs node APPLICATION run PLAN --truth T    send this worker's share of the requests
//
// The application is installed in BED_SITE. Its folder `<name>_bed` gives `settings.cjs` with
// `start({ seeding })` (serves the application and returns { url, stop }), `seed.cjs` with `fill(client)`, and
// `requests.cjs` with `plan()`, the requests as for drive.py, and `login(client, who)`.

"use strict";

const fs = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const readline = require("node:readline");
const { parseArgs } = require("node:util");
const { HEADER, Witness } = require("./witness.cjs");

const SITE = process.env.BED_SITE;

// A visitor of the site, who keeps the token of the session.
class Client {
  constructor(url) {
    this.url = url;
    this.token = null;
  }

  // Send one request and read the whole answer.
  async send(request, number = 0) {
    const headers = { "content-type": "application/json" };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    const route = request.route || request.path;
    if (number) headers[HEADER] = JSON.stringify({ number, route });
    const answer = await fetch(this.url + request.path, {
      method: request.method || "get",
      headers,
      body: request.json && JSON.stringify(request.json),
    });
    this.token = answer.headers.get("vendure-auth-token") || this.token;
    return { status: answer.status, text: await answer.text() };
  }
}

async function seed(bed, plan) {
  const began = Date.now();
  const site = await bed("settings").start({ seeding: true });
  await bed("seed").fill(new Client(site.url));
  const requests = bed("requests").plan();
  fs.writeFileSync(plan, JSON.stringify(requests, null, 1));
  console.log(`seeded in ${Math.round((Date.now() - began) / 1000)} s, ${requests.length} requests`);
  await site.stop();
}

async function run(bed, plan, options) {
  const worker = Number(options.worker);
  const workers = Number(options.workers);
  const mine = JSON.parse(fs.readFileSync(plan, "utf8"))
    .map((request, place) => [place + 1, request])
    .filter(([number]) => (number - 1) % workers === worker);
  const witness = new Witness(options.truth, SITE, { tagged: options.tagged });
  witness.watch(createRequire(`${SITE}/`)("pg"));
  const site = await bed("settings").start({ seeding: false });
  const clients = {};
  for (const [, { who = "" }] of mine) {
    if (clients[who]) continue;
    clients[who] = new Client(site.url);
    if (who) await bed("requests").login(clients[who], who);
  }
  // The first request of a process fills caches of the process.
  await clients[mine[0][1].who || ""].send(mine[0][1]);
  console.log("ready");
  await new Promise((resolve) => readline.createInterface({ input: process.stdin }).once("line", resolve));
  for (const [number, request] of mine) {
    const before = witness.statements;
    const began = Date.now();
    const answer = await clients[request.who || ""].send(request, number);
    const failed = /"errors":|"errorCode":/.test(answer.text) ? answer.text.slice(0, 300) : undefined;
    console.log(
      JSON.stringify({
        request: number, method: request.method || "get", path: request.route || request.path,
        status: answer.status, statements: witness.statements - before, ms: Date.now() - began, failed,
      }),
    );
    const [least, most] = options.think.map(Number);
    if (most) await new Promise((resolve) => setTimeout(resolve, 1000 * (least + Math.random() * (most - least))));
  }
  await site.stop();
}

const argv = process.argv.slice(2);
const at = argv.indexOf("--think");
const think = at < 0 ? ["0", "0"] : argv.splice(at, 3).slice(1);
const { values, positionals } = parseArgs({
  args: argv,
  allowPositionals: true,
  options: {
    truth: { type: "string" },
    tagged: { type: "boolean", default: false },
    worker: { type: "string", default: "0" },
    workers: { type: "string", default: "1" },
  },
});
const [, application, job, plan] = positionals;
const bed = (name) => require(path.join(__dirname, "..", application, `${name}.cjs`));
(job === "seed" ? seed(bed, plan) : run(bed, plan, { ...values, think })).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
