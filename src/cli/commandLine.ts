import { Command, CommanderError, Help, Option } from 'commander'
import { globalFlags, type KeyName } from '../config/keys.ts'
import { argumentExcess, argumentMissing, commandIncomplete, commandUnknown, flagUnknown, flagValueMissing } from '../errors/cli.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import type { CommandEntry } from './commandEntry.ts'
import { commandEntries } from './commands/index.ts'
import type { Field } from './fields.ts'
import { formatFlag, formatRootHelp } from './rootHelp.ts'
import { findSimilar } from './suggest.ts'
import { groupSummaries } from './topics.ts'

/** What a person typed, taken apart but not yet checked. */
export interface ParsedLine {
  entry: CommandEntry
  globals: Partial<Record<KeyName, string | boolean>>
  args: string[]
  /** by the option's key; only what was typed */
  options: Record<string, unknown>
}

/** Adds a chosen command's arguments, options and examples. Lives in another module, so that root help stays light. */
export type Populate = (command: CuckooCommand, entry: CommandEntry) => Promise<void>

/** Commander's command with our errors instead of its own. */
export class CuckooCommand extends Command {
  /** a first word that needs another: it takes everything, and its action says what is wrong */
  isGroup = false

  override createCommand(name?: string): CuckooCommand {
    return new CuckooCommand(name)
  }

  /** the words that are typed for it, `cuckoo` first */
  get words(): string {
    return this.parent === null ? this.name() : `${(this.parent as CuckooCommand).words} ${this.name()}`
  }

  get usageLine(): string {
    return `${this.words} ${this.registeredArguments.map((argument) => (argument.required ? `<${argument.name()}>` : `[${argument.name()}]`)).join(' ')}`.trim()
  }

  // Commander calls these four; their names are part of its version, which is pinned and snapshot-tested.
  unknownOption(flag: string): void {
    if (this.isGroup) return
    this.refuseOption(flag)
  }
  refuseOption(flag: string): never {
    const own = this.options.map((option) => option.long ?? '')
    const suggestion = findSimilar(flag, [...own, ...globalFlags.map(([, key]) => key.flag), '--help'])
    throw flagUnknown({ flag, command: this.words, suggestion, takesText: this.registeredArguments.length > 0 })
  }
  missingArgument(name: string): never {
    throw argumentMissing({ argument: name, command: this.words, usage: this.usageLine })
  }
  optionMissingArgument(option: Option): never {
    throw flagValueMissing({ flag: option.long ?? option.flags, command: this.words })
  }
  _excessArguments(received: string[]): void {
    if (this.isGroup || received.length <= this.registeredArguments.length || this.registeredArguments.at(-1)?.variadic) return
    throw argumentExcess({ argument: received[this.registeredArguments.length] ?? '', command: this.words, usage: this.usageLine })
  }
}

/**
 * Takes a command line apart. Only the chosen command's module is loaded, through `populate`.
 * @returns null when help or the version was printed
 * @throws CUCKOO_CLI_… for everything that is typed wrong
 */
export async function parseCommandLine(
  argv: readonly string[],
  options: { version: string; write: (text: string) => void; populate: Populate },
): Promise<ParsedLine | null> {
  let parsed: ParsedLine | null = null
  const root = createRoot(options)
  const choose = (entry: CommandEntry, command: CuckooCommand) => {
    parsed = { entry, globals: toGlobals(root), args: command.args, options: command.opts() }
  }
  for (const entry of commandEntries) addCommand(root, entry, choose)
  for (const group of [root, ...root.commands.filter((command) => command.commands.length > 0)]) {
    group.hook('preSubcommand', async (_, chosen) => {
      const command = chosen as CuckooCommand
      const entry = commandEntries.find(({ path }) => `cuckoo ${path}` === command.words)
      if (entry) await options.populate(command, entry)
    })
  }
  try {
    if (argv[0] === 'help') assertCommand(root, argv.slice(1))
    await root.parseAsync(toHelpFlag(argv), { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return null
    throw error
  }
  return parsed
}

function createRoot(options: { version: string; write: (text: string) => void }): CuckooCommand {
  const root = new CuckooCommand('cuckoo')
  root
    .version(options.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help for a command')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: options.write, writeErr: () => {}, getOutHelpWidth: () => 80, getErrHelpWidth: () => 80 })
    .configureHelp({ subcommandTerm: (command) => command.name(), formatHelp })
  for (const [, key] of globalFlags) root.addOption(new Option(formatFlag(key), key.doc))
  setGroupAction(root)
  return root
}

/** Commander's help, but with the commands of a group before its options. */
function formatHelp(command: Command, helper: Help): string {
  if (command.parent === null) return formatRootHelp()
  const sections = Help.prototype.formatHelp.call(helper, command, helper).trimEnd().split('\n\n')
  const isOptions = (section: string) => section.startsWith('Options:') && command.commands.length > 0
  return `${[...sections.filter((section) => !isOptions(section)), ...sections.filter(isOptions)].join('\n\n')}\n`
}

function addCommand(root: CuckooCommand, entry: CommandEntry, choose: (entry: CommandEntry, command: CuckooCommand) => void): void {
  const words = entry.path.split(' ')
  let parent = root
  for (const word of words.slice(0, -1)) {
    parent = (parent.commands.find((command) => command.name() === word) ?? addGroup(parent, word)) as CuckooCommand
  }
  const command = parent.command(words.at(-1) as string) as CuckooCommand
  command.summary(entry.summary).action(() => choose(entry, command))
}

function addGroup(parent: CuckooCommand, name: string): CuckooCommand {
  const group = parent.command(name) as CuckooCommand
  const summary = groupSummaries[name] ?? ''
  group.summary(summary).description(summary).usage('<command> [options]')
  setGroupAction(group)
  return group
}

/** A group does nothing by itself: its action says what is missing or wrong. */
function setGroupAction(group: CuckooCommand): void {
  group.isGroup = true
  group.action(() => {
    const [word] = group.args
    if (word === undefined) throw commandIncomplete({ command: group.words, children: group.commands.map((command) => command.name()).join(', ') })
    if (word.startsWith('-')) group.refuseOption(word)
    throw toCommandUnknown(group, word)
  })
}

function toCommandUnknown(group: CuckooCommand, word: string): CuckooError {
  const children = group.commands.map((command) => command.name())
  return commandUnknown({ command: `${group.words} ${word}`, parent: group.words, suggestion: findSuggestion(group.words, word, children) })
}

/** A command of which only the last word was remembered (`cuckoo deregister`), else one that is spelled alike. */
function findSuggestion(parent: string, word: string, children: readonly string[]): string | null {
  const elsewhere = parent !== 'cuckoo' ? undefined : commandEntries.find(({ path }) => path.endsWith(` ${word}`))
  if (elsewhere !== undefined) return `cuckoo ${elsewhere.path}`
  const similar = findSimilar(word, children)
  return similar === null ? null : `${parent} ${similar}`
}

function toGlobals(root: CuckooCommand): ParsedLine['globals'] {
  const typed = root.opts()
  const globals: ParsedLine['globals'] = {}
  for (const [name, key] of globalFlags) {
    const attribute = new Option(key.flag).attributeName()
    const isTyped = root.getOptionValueSource(attribute) === 'cli'
    if (isTyped) globals[name] = key.flag.startsWith('--no-') ? true : (typed[attribute] as string | boolean)
  }
  return globals
}

/** `help` shows what exists: commander would answer a word it does not know with the help of everything. */
function assertCommand(root: CuckooCommand, words: readonly string[]): void {
  let group: CuckooCommand = root
  for (const word of words.filter((candidate) => !candidate.startsWith('-'))) {
    const children = group.commands.map((command) => command.name())
    if (children.length === 0) return
    if (!children.includes(word)) throw toCommandUnknown(group, word)
    group = group.commands.find((command) => command.name() === word) as CuckooCommand
  }
}

/** `cuckoo help stake` is `cuckoo stake --help`, and `cuckoo` alone is `cuckoo --help`. */
function toHelpFlag(argv: readonly string[]): string[] {
  if (argv.length === 0) return ['--help']
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv]
}

/** Flags of an option as commander reads them. */
export function toOptionFlags(field: Field): string {
  return `${field.short === undefined ? '' : `${field.short}, `}${field.name}${field.type === 'switch' ? '' : ` <${field.term}>`}`
}
