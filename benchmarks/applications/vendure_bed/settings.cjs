// Settings of Vendure for the test bed: a real database, its own search, payments that are no money.

"use strict";

const { createRequire } = require("node:module");
const os = require("node:os");

const load = createRequire(`${process.env.BED_SITE}/`);

// Serve Vendure as its users do; `seeding` makes the tables.
async function start({ seeding }) {
  process.env.VENDURE_DISABLE_TELEMETRY = "true";
  const vendure = load("@vendure/core");
  const config = vendure.mergeConfig(vendure.defaultConfig, {
    apiOptions: { port: 0, hostname: "127.0.0.1" },
    authOptions: {
      tokenMethod: ["bearer"],
      superadminCredentials: { identifier: "superadmin", password: "superadmin" },
      requireVerification: false,
    },
    dbConnectionOptions: {
      type: "postgres",
      host: "127.0.0.1",
      port: Number(process.env.BED_PORT),
      username: "postgres",
      database: process.env.BED_DATABASE,
      synchronize: seeding,
      logging: false,
    },
    importExportOptions: { importAssetsDir: os.tmpdir() },
    logger: new vendure.DefaultLogger({ level: vendure.LogLevel.Error }),
    paymentOptions: { paymentMethodHandlers: [vendure.dummyPaymentHandler] },
    plugins: [vendure.DefaultSearchPlugin.init({ bufferUpdates: false, indexStockStatus: true })],
  });
  const app = await vendure.bootstrap(config);
  module.exports.app = app;
  const { port } = app.getHttpServer().address();
  return { url: `http://127.0.0.1:${port}`, stop: () => app.close() };
}

module.exports = { load, start };
