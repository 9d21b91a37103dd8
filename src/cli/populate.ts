import { Argument, Option } from 'commander'
import { type ConfigKey, configKeys, globalFlags } from '../config/keys.ts'
import type { CommandEntry } from './commandEntry.ts'
import { type CuckooCommand, toOptionFlags } from './commandLine.ts'
import type { Command } from './defineCommand.ts'
import { type Field, toFields } from './fields.ts'
import { fold, foldCommand } from './fold.ts'

/** Gives `command` the arguments, options and help of its definition. Values stay text: runCommand.ts checks them. */
export async function populate(command: CuckooCommand, entry: CommandEntry): Promise<void> {
  const definition = await entry.load()
  // Descriptions are written in short lines; help folds them to the width.
  command.description((definition.description ?? entry.summary).replaceAll(/(?<!\n)\n(?!\n)/g, ' '))
  for (const field of toFields(definition.args, 'argument')) {
    const name = `${field.term}${field.type === 'list' ? '...' : ''}`
    command.addArgument(new Argument(field.required ? `<${name}>` : `[${name}]`, toFieldDoc(field)))
  }
  for (const field of toFields(definition.options, 'option')) for (const option of toOptions(field)) command.addOption(option)
  command.helpOption('-h, --help', 'print this help')
  command.addHelpText('after', `\n${formatExamples(definition)}\n\n${formatGlobals()}`)
}

function toOptions(field: Field): Option[] {
  const option = new Option(toOptionFlags(field), toFieldDoc(field))
  if (field.type === 'list') option.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value])
  if (field.type !== 'switch') return [option]
  const negated = new Option(`--no-${field.name.slice(2)}`, field.default === true ? toFieldDoc(field) : '')
  // Of the two only the one that changes something is shown.
  return field.default === true ? [option.hideHelp(), negated] : [option, negated.hideHelp()]
}

function toFieldDoc(field: Field): string {
  const remarks = [
    field.choices.length > 4 || (field.choices.length > 0 && field.term !== field.choices.join('|')) ? field.choices.join(', ') : '',
    field.default === undefined || field.type === 'switch' || String(field.default) === '' ? '' : `default: ${field.default}`,
    field.type === 'list' && field.name.startsWith('--') ? 'may be repeated' : '',
    toVariable(field) === null ? '' : `env: ${toVariable(field)}`,
  ].filter((remark) => remark !== '')
  return `${field.description ?? ''}${remarks.length === 0 ? '' : ` (${remarks.join('; ')})`}`
}

/** The environment variable that stands in for a field's flag. */
export function toVariable(field: Field): string | null {
  if (field.env !== undefined) return field.env
  const key = field.config === undefined ? undefined : (configKeys as Record<string, ConfigKey>)[field.config]
  return key?.env ?? null
}

function formatExamples(definition: Command): string {
  const width = Math.max(...definition.examples.map(({ command }) => command.length))
  const lines = definition.examples.map(({ command, note }) => {
    const aside = `  ${command.padEnd(width)}  ${note}`
    return aside.length <= 80 ? aside : `${foldCommand(command, 80, '  ')}\n      ${fold(note, 74, '      ')}`
  })
  return ['Examples:', ...lines].join('\n')
}

function formatGlobals(): string {
  const lines = ['Options of every command (`cuckoo --help` describes them):', ' ']
  for (const [, { flag }] of globalFlags) {
    const last = lines.at(-1) as string
    if (last.length + flag.length + 1 > 78) lines.push(`  ${flag}`)
    else lines[lines.length - 1] = `${last} ${flag}`
  }
  return lines.join('\n')
}
