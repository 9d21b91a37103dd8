import { type ConfigKey, globalFlags } from '../config/keys.ts'
import { commandEntries } from './commands/index.ts'
import { findTopic, groupSummaries } from './topics.ts'

const width = 80
const termWidth = 28

/**
 * The help of `cuckoo` alone. Written without commander, whose load would double the time of the command that newcomers type
 * first.
 */
export function formatRootHelp(): string {
  const words = [...new Set(commandEntries.map(({ path }) => path.split(' ')[0] as string))]
  const topics = [...new Set(words.map(findTopic))]
  const summaryOf = (word: string) => groupSummaries[word] ?? commandEntries.find(({ path }) => path === word)?.summary ?? ''
  return [
    'Usage: cuckoo <command> [options]',
    '',
    'A decentralised marketplace of AI inference: stake, vote, coordinate, mine, ask.',
    ...topics.flatMap((topic) => ['', `${topic}:`, ...words.filter((word) => findTopic(word) === topic).flatMap((word) => formatItem(word, summaryOf(word)))]),
    '',
    'Options of every command:',
    ...globalFlags.flatMap(([, key]) => formatItem(formatFlag(key), formatKeyDoc(key))),
    ...formatItem('-h, --help', 'print help, also for a command'),
    ...formatItem('-V, --version', 'print the version'),
    '',
    '`cuckoo <command> --help` shows examples. Options may also stand in the',
    'environment, like CUCKOO_NETWORK, or in $CUCKOO_HOME/config.json.',
    '',
  ].join('\n')
}

/** A flag as help shows it. @example '--network <name>' */
export function formatFlag(key: ConfigKey & { flag: string }): string {
  return `${key.short === undefined ? '' : `${key.short}, `}${key.flag}${key.placeholder === undefined ? '' : ` <${key.placeholder}>`}`
}

function formatKeyDoc({ doc, default: value = '' }: ConfigKey): string {
  return value === '' || value === 'false' ? doc : `${doc} (default: ${value})`
}

/** `term  description`, folded to the width. */
function formatItem(term: string, description: string): string[] {
  const lines: string[] = []
  let line = `  ${term}`.padEnd(termWidth + 1)
  for (const word of description.split(' ')) {
    if (line.length + word.length > width) {
      lines.push(line.trimEnd())
      line = ' '.repeat(termWidth + 1)
    }
    line += `${word} `
  }
  return [...lines, line.trimEnd()]
}
