/**
 * Which way imports run: the table in src/README.md, type imports included. `.ci/checkImports.ts` runs it and proves with a
 * planted violation that it can turn red.
 */

/** Rooms of src and the rooms each may import; its own files always. */
const mayImport = {
  'cli/(?!compose)': ['cli', 'config', 'domain', 'errors', 'coordinator', 'miner', 'devnet', 'api', 'telemetry'],
  'cli/compose': ['cli', 'config', 'domain', 'errors', 'coordinator', 'miner', 'devnet', 'api', 'telemetry', 'chain', 'inference', 'store'],
  coordinator: ['domain', 'api', 'errors', 'telemetry'],
  miner: ['domain', 'api', 'errors', 'telemetry'],
  devnet: ['domain', 'api', 'errors', 'telemetry', 'coordinator', 'miner'],
  api: ['domain', 'errors'],
  chain: ['domain', 'errors'],
  inference: ['domain', 'errors'],
  store: ['domain', 'errors'],
  config: ['domain', 'errors'],
  telemetry: ['domain', 'errors'],
  domain: ['errors'],
  errors: [],
}

/** npm packages that only one room may import. */
const soleImporters = {
  '(commander|ora)': 'cli',
  '(viem|ox|secp256k1|tiny-secp256k1)': 'chain',
  '(@huggingface|onnxruntime[^/]*)': 'inference',
  fastify: 'api',
  undici: '(api|inference|chain)',
  '(pino|prom-client)': 'telemetry',
}

const roomRules = Object.entries(mayImport).map(([from, rooms]) => ({
  name: `room-${from.replace(/\W+/g, '-')}`,
  severity: 'error',
  from: { path: `^src/${from}` },
  to: {
    path: '^src/',
    pathNot: `^src/(${[...rooms, from.split('/')[0]].join('|')})/`,
  },
}))

const packageRules = Object.entries(soleImporters).map(([names, room]) => ({
  name: `package-${names.replace(/\W+/g, '-')}`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/${room}/` },
  to: { path: `(^|/)node_modules/${names}(/|$)` },
}))

export default {
  forbidden: [
    ...roomRules,
    ...packageRules,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/inference/bundled' },
      to: {},
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/inference/bundled' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
}
