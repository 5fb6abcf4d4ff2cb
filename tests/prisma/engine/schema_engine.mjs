// Prisma's own schema engine, as the program that the `prisma` command starts for `migrate`.
//
// The command speaks JSON-RPC with a native engine, which no package has. The same engine is in
// @prisma/schema-engine-wasm; what is here hands the calls on to it, with @prisma/adapter-pg as its connection.
// As the native engine does, it sends a migration as one text. Arguments: the folder of node_modules, then
// the engine's own.
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [modules, ...given] = process.argv.slice(2);
const require = createRequire(`${modules}/here.js`);
if (given.includes('--version')) {
  console.log('schema-engine-cli 0edf323efd1d98336f3f0a68684b56f689b900d3');
  process.exit(0);
}
const after = (name) => {
  const start = given.indexOf(name) + 1;
  const rest = start ? given.slice(start) : [];
  const end = rest.findIndex((one) => one.startsWith('--'));
  return end < 0 ? rest : rest.slice(0, end);
};
if (given.includes('cli')) {
  console.log('Connection successful');
  process.exit(0);
}

const at = new URL(JSON.parse(after('--datasource')[0]).url);
const config = { host: at.hostname, port: +at.port, user: at.username, database: at.pathname.slice(1) };
const { PrismaPg } = require('@prisma/adapter-pg');
const { bindMigrationAwareSqlAdapterFactory } = require('@prisma/driver-adapter-utils');

globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (text) => process.stderr.write(`${text}\n`) };
const CHAR = 18; // the type "char" of catalog tables, which the adapter does not know
const BPCHAR = 1042;
const CHARACTER = 6; // the engine's own word for it
const places = new AsyncLocalStorage(); // of such columns in a query's rows
const asNative = (adapter) => {
  const pool = adapter.underlyingDriver();
  const query = pool.query;
  pool.query = async function (...all) {
    const found = await query.apply(pool, all);
    for (const [place, field] of (found?.fields ?? []).entries()) {
      if (field.dataTypeID !== CHAR) continue;
      field.dataTypeID = BPCHAR;
      places.getStore()?.push(place);
    }
    return found;
  };
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = (asked) =>
    places.run([], async () => {
      const found = await queryRaw(asked);
      for (const place of places.getStore()) found.columnTypes[place] = CHARACTER;
      return found;
    });
  adapter.executeScript = async (script) => void (await pool.query(script)); // it would split it at each ;
  return adapter;
};
const factory = new PrismaPg(config);
const connect = factory.connect.bind(factory);
factory.connect = async () => asNative(await connect());
factory.connectToShadowDb = async () => {
  const name = `shadow_${randomUUID()}`;
  const own = asNative(await connect());
  await own.executeScript(`CREATE DATABASE "${name}"`);
  const shadow = asNative(await new PrismaPg({ ...config, database: name }).connect());
  const end = shadow.dispose.bind(shadow);
  shadow.dispose = async () => {
    await end();
    await own.executeScript(`DROP DATABASE "${name}"`);
    await own.dispose();
  };
  return shadow;
};

const wasm = `${modules}/@prisma/schema-engine-wasm/schema_engine_bg`;
const glue = await import(`${wasm}.js`);
const { instance } = await WebAssembly.instantiate(readFileSync(`${wasm}.wasm`), { './schema_engine_bg.js': glue });
glue.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start();
const files = after('--datamodels').map((path) => [path, readFileSync(path, 'utf8')]);
const engine = await glue.SchemaEngine.new(
  { datamodels: files.length ? files : undefined },
  () => {},
  bindMigrationAwareSqlAdapterFactory(factory),
);

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const call = line.trim() ? JSON.parse(line) : {};
  if (!call.method) continue;
  const given = Array.isArray(call.params) ? call.params[0] : call.params;
  try {
    const name = call.method === 'getDatabaseVersion' ? 'version' : call.method;
    let result = await engine[name](given);
    if (call.method === 'diff' && result?.stdout != null) {
      send({ id: 900000 + call.id, method: 'print', params: { content: result.stdout } });
      result = { ...result, stdout: null };
    }
    send({ id: call.id, result: result ?? null });
  } catch (error) {
    const message = String(error?.message ?? error);
    let data = { is_panic: false, message, error_code: error?.code ?? '', meta: error?.meta ?? null };
    try {
      data = JSON.parse(message);
    } catch {} // it is no JSON: the text is the message
    send({ id: call.id, error: { code: 4466, message, data } });
  }
}
process.exit(0);
