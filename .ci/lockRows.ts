/**
 * Keeps a lock row for every platform's optional package. A registry mirror that lacks some of them makes `npm install` drop
 * their rows silently, and `npm ci` then refuses the lock file. `--check` fails when a row is missing; without it they are added.
 */
import { readFileSync, writeFileSync } from 'node:fs'

interface LockRow {
  version?: string
  optionalDependencies?: Record<string, string>
  resolved?: string
}

const path = 'package-lock.json'
const lock = JSON.parse(readFileSync(path, 'utf8')) as {
  packages: Record<string, LockRow & Record<string, unknown>>
}

/** What a platform package's name says about where it runs: `@foundry-rs/anvil-darwin-arm64` → darwin, arm64. */
function parsePlatform(name: string): {
  os?: string[]
  cpu?: string[]
  libc?: string[]
} {
  const os = /(?:^|[-/.])(linux|darwin|win32|freebsd|openbsd|netbsd|sunos|aix|android|openharmony)(?:[-/.]|$)/.exec(name)?.[1]
  const cpu = /(?:^|[-/.])(x64|amd64|arm64|arm|ia32|riscv64|s390x|ppc64|loong64|mips64el)(?:[-/.]|$)/.exec(name)?.[1]
  return {
    ...(os && { os: [os] }),
    ...(cpu && { cpu: [cpu === 'amd64' ? 'x64' : cpu] }),
  }
}

const missing: string[] = []
for (const [owner, row] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(row.optionalDependencies ?? {})) {
    const nested = `${owner}/node_modules/${name}`
    if (lock.packages[`node_modules/${name}`] || lock.packages[nested]) continue
    missing.push(`${name}@${version}`)
    lock.packages[`node_modules/${name}`] = {
      version: version.replace(/^[\^~]/, ''),
      ...parsePlatform(name),
      optional: true,
      ...(owner !== '' && { dev: row['dev'] }),
    }
  }
}
for (const row of Object.values(lock.packages)) delete row.resolved

if (process.argv.includes('--check')) {
  if (missing.length > 0) {
    process.stderr.write(`package-lock.json lacks rows for ${missing.join(', ')}: run npm run lock\n`)
    process.exit(1)
  }
} else {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
  process.stdout.write(`${missing.length} rows added\n`)
}
