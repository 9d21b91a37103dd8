/**
 * Writes the tables of README.md that derive from the code, between their markers: commands, settings, exit codes.
 * `--check` fails when the committed file differs.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { commandEntries } from '../src/cli/commands/index.ts'
import { type ConfigKey, configKeys } from '../src/config/keys.ts'
import { errorKinds } from '../src/errors/cuckooError.ts'

const path = 'README.md'

function toTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const toCell = (cell: string) => cell.replaceAll('|', '\\|')
  return [header, header.map(() => '---'), ...rows.map((row) => row.map(toCell))].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

const meanings: Record<keyof typeof errorKinds, string> = {
  usage: 'a flag, argument or request is wrong',
  config: 'a setting is missing or wrong, wrong chain, not deployed',
  denied: 'signature, registration or key is missing',
  rejected: 'the world says no: a revert, too little stake, a wrong state',
  invalid: 'a peer or a file broke the protocol',
  unavailable: 'RPC, coordinator, timeout, full queue',
  internal: "a fault of cuckoo's",
}

const tables: Record<string, string> = {
  commands: toTable(
    ['command', 'does'],
    commandEntries.map(({ path: words, summary }) => [`\`cuckoo ${words}\``, summary]),
  ),
  settings: toTable(
    ['flag', 'environment', 'in config.json', 'what'],
    (Object.entries(configKeys) as [string, ConfigKey][]).map(([name, key]) => [
      key.flag === null ? '' : `\`${key.flag}\``,
      key.env === null ? '' : `\`${key.env}\``,
      key.file ? `\`${name}\`` : '',
      key.doc,
    ]),
  ),
  'exit codes': toTable(
    ['exit code', 'kind', 'means', 'worth a retry'],
    [
      ['0', '', 'done', ''],
      ...Object.entries(errorKinds)
        .sort(([, a], [, b]) => a.exitCode - b.exitCode)
        .map(([kind, { exitCode, retry }]) => [
          String(exitCode),
          kind,
          meanings[kind as keyof typeof errorKinds],
          retry ? 'yes' : kind === 'rejected' ? 'after a change' : 'no',
        ]),
      ['129, 130, 143', '', 'ended by a closed terminal, Ctrl-C or SIGTERM before it was done', ''],
    ],
  ),
}

const committed = readFileSync(path, 'utf8')
let text = committed
for (const [name, table] of Object.entries(tables)) {
  const [begin, end] = [`<!-- ${name}: generated -->`, `<!-- end of ${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to === -1) throw new Error(`README.md lacks the markers of '${name}'`)
  text = `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`
}
if (process.argv.includes('--check')) {
  if (text !== committed) {
    process.stderr.write('README.md differs from what the code says: run npm run generate\n')
    process.exit(1)
  }
} else writeFileSync(path, text)
