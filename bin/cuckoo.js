#!/usr/bin/env node
// Written for Node 8: an old Node must get as far as the message. So no import declarations, no import() in the open.

function fail(message, hint) {
  process.stderr.write(`error: ${message}\nhint: ${hint}\n`)
  process.exitCode = 78
}

// Node 22 calls its SQLite experimental at every start, on stderr, where --json promises errors only. 24 no longer does.
function silenceSqliteWarning() {
  var emitWarning = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).startsWith('SQLite is an experimental feature')) emitWarning.call(process, warning, ...rest)
  }
}

function start() {
  silenceSqliteWarning()
  var fs = process.getBuiltinModule('fs')
  var url = process.getBuiltinModule('url')
  var modules = process.getBuiltinModule('module')
  var main = new URL('../dist/cli/main.js', url.pathToFileURL(fs.realpathSync(process.argv[1])))
  if (!fs.existsSync(main)) return fail('this checkout of cuckoo is not built yet (CUCKOO_CLI_NOT_BUILT)', 'type `npm run build` in it')
  if (modules.enableCompileCache) modules.enableCompileCache()
  new Function('url', 'return import(url)')(main.href)
    .then((cli) => cli.main(process.argv.slice(2)))
    .then((exitCode) => {
      process.exitCode = exitCode
    })
}

var version = process.versions.node.split('.').map(Number)
if (version[0] > 22 || (version[0] === 22 && version[1] >= 19)) start()
else
  fail(
    `cuckoo needs Node.js 22.19 or newer, this is ${process.versions.node} (CUCKOO_CLI_NODE_TOO_OLD)`,
    'install one from https://nodejs.org, or with `nvm install 24`',
  )
