import { z } from 'zod'
import { type ConfigKey, configKeys, type KeyName } from '../config/keys.ts'
import { type Config, loadConfig } from '../config/loadConfig.ts'
import { kindSchemas, parseValue, type RawValue } from '../config/parseValue.ts'
import { optionMissing } from '../errors/cli.ts'
import type { ParsedLine } from './commandLine.ts'
import { commandEntries } from './commands/index.ts'
import { compose as composePorts } from './compose.ts'
import type { Context } from './context.ts'
import type { Command } from './defineCommand.ts'
import { type Field, toFields } from './fields.ts'
import type { Io } from './io.ts'
import type { Output } from './output.ts'
import type { Compose } from './ports.ts'
import { createPrompts } from './prompts.ts'

export interface RunOptions {
  io: Io
  output: Output
  signal: AbortSignal
  compose?: Compose | undefined
}

/** Checks what was typed, makes the ports and runs the command; everything that it opened is closed afterwards. */
export async function runCommand(line: ParsedLine, options: RunOptions): Promise<void> {
  const { io, output, signal } = options
  const command = await line.entry.load()
  const words = `cuckoo ${line.entry.path}`
  const config = loadConfig({ flags: line.globals, env: io.env, platform: io.platform })
  const input = { args: parseArguments(command, line.args, words), options: parseOptions(command, line.options, config, io.env, words) }
  const prompts = createPrompts(io, output, { yes: config.values.yes, signal })
  const ports = (options.compose ?? composePorts)({ config, output, prompts, signal, env: io.env })
  const context: Context = {
    command: words,
    entries: commandEntries,
    config,
    output,
    prompts,
    ports,
    signal,
    emit: (value) => (output.json ? output.record(z.encode(command.output, value)) : command.view(value, output, context)),
    nowSeconds: () => Math.floor(ports.clock.nowMs() / 1000),
  }
  try {
    const result = await command.run(input, context)
    if (result !== undefined) context.emit(result)
  } finally {
    await ports.dispose()
  }
}

function parseArguments(command: Command, typed: readonly string[], words: string): unknown {
  const values = toFields(command.args, 'argument').map((field, index) => {
    const value = field.type === 'list' ? typed.slice(index) : typed[index]
    const raw: RawValue = { value, source: { kind: 'argument', name: `<${field.term}>` } }
    return [field.key, parseValue(command.args.shape[field.key], raw, { command: words })]
  })
  return Object.fromEntries(values)
}

function parseOptions(command: Command, typed: Readonly<Record<string, unknown>>, config: Config, env: Io['env'], words: string): unknown {
  const values = toFields(command.options, 'option').map((field) => {
    const schema = command.options.shape[field.key]
    const raw = findRaw(field, typed, config, env)
    if (raw !== undefined) return [field.key, parseValue(schema, field.type === 'switch' ? toBoolean(raw, words) : raw, { command: words })]
    const absent = schema.safeParse(undefined)
    if (!absent.success) throw optionMissing({ flag: `${field.name} <${field.term}>`, command: words })
    return [field.key, absent.data]
  })
  return Object.fromEntries(values)
}

function findRaw(field: Field, typed: Readonly<Record<string, unknown>>, config: Config, env: Io['env']): RawValue | undefined {
  const value = typed[toAttribute(field.name)]
  if (value !== undefined) return { value, source: { kind: 'flag', name: field.name } }
  const text = field.env === undefined ? undefined : env[field.env]
  if (text !== undefined && text !== '')
    return { value: field.type === 'list' ? text.split(',') : text, source: { kind: 'environment', name: field.env as string } }
  const key = field.config as KeyName | undefined
  const raw = key === undefined ? undefined : config.findRaw(key)
  return raw === undefined || (configKeys[key as KeyName] as ConfigKey).secret ? undefined : raw
}

/** Commander keeps `--max-tokens` as `maxTokens`, and `--no-x` as `x`. */
function toAttribute(name: string): string {
  return name.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

function toBoolean(raw: RawValue, words: string): RawValue {
  return { ...raw, value: parseValue(kindSchemas.switch, raw, { command: words }) }
}
