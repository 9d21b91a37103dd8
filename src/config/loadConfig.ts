import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { z } from 'zod'
import { configFileUnreadable, configKeyUnknown, secretInArguments } from '../errors/config.ts'
import { type ConfigKey, configKeys, type KeyName } from './keys.ts'
import { kindSchemas, parseValue, type RawValue } from './parseValue.ts'

type Kinds = { [K in KeyName]: (typeof configKeys)[K]['kind'] }
type Defaulted = { [K in KeyName]: (typeof configKeys)[K] extends { default: string } ? K : never }[KeyName] | 'home'

/** Every key's value; durations in milliseconds, paths absolute. */
export type ConfigValues = { [K in KeyName]: z.output<(typeof kindSchemas)[Kinds[K]]> | (K extends Defaulted ? never : undefined) }

export interface Config {
  values: ConfigValues
  /** where a key's value was written: undefined when nobody wrote it and it has no default */
  findRaw(key: KeyName): RawValue | undefined
}

export interface ConfigInput {
  flags: Partial<Record<KeyName, string | boolean>>
  env: Record<string, string | undefined>
  platform: NodeJS.Platform
}

/**
 * The configuration: for each key the flag, else the environment, else `$CUCKOO_HOME/config.json`, else the default.
 * @throws CUCKOO_CONFIG_INVALID naming source and value, CUCKOO_CLI_VALUE_INVALID for a flag
 * @throws CUCKOO_CONFIG_FILE_INVALID, CUCKOO_CONFIG_KEY_UNKNOWN for config.json
 * @throws CUCKOO_CONFIG_SECRET_IN_ARGUMENTS for a URL with credentials in a flag
 * @example loadConfig({ flags: {}, env: { CUCKOO_TIMEOUT: '90s' }, platform: 'linux' }).values.timeout // 90000
 */
export function loadConfig(input: ConfigInput): Config {
  const values: Record<string, unknown> = {}
  const raws = new Map<KeyName, RawValue>()
  const read = (name: KeyName, file: Record<string, unknown>, path: string) => {
    const raw = findRaw(name, input, file, path)
    if (raw === undefined) return
    assertNoCredentials(name, raw)
    raws.set(name, raw)
    values[name] = parseValue(kindSchemas[configKeys[name].kind], raw, { command: 'cuckoo', secret: 'secret' in configKeys[name] })
  }
  read('home', {}, '')
  values['home'] ??= defaultHome(input)
  const path = join(values['home'] as string, 'config.json')
  const file = readConfigFile(path)
  for (const name of Object.keys(configKeys) as KeyName[]) if (name !== 'home') read(name, file, path)
  return { values: values as ConfigValues, findRaw: (key) => raws.get(key) }
}

function findRaw(name: KeyName, input: ConfigInput, file: Record<string, unknown>, path: string): RawValue | undefined {
  const key: ConfigKey = configKeys[name]
  const flag = input.flags[name]
  if (flag !== undefined && key.flag !== null) return { value: flag, source: { kind: 'flag', name: key.flag } }
  const env = key.env === null ? undefined : input.env[key.env]
  if (key.env !== null && env !== undefined && env !== '') return { value: env, source: { kind: 'environment', name: key.env } }
  if (Object.hasOwn(file, name)) {
    const value = file[name]
    return { value: typeof value === 'number' ? String(value) : value, source: { kind: 'file', name: `'${name}' in ${path}` } }
  }
  return key.default === undefined ? undefined : { value: key.default, source: { kind: 'default', name: `the default of ${name}` } }
}

function assertNoCredentials(name: KeyName, { value, source }: RawValue): void {
  const key: ConfigKey = configKeys[name]
  if (source.kind !== 'flag' || typeof value !== 'string' || !URL.canParse(value)) return
  const url = new URL(value)
  if (url.username === '' && url.password === '') return
  throw secretInArguments({ flag: source.name, instead: `${key.env} or config.json ('${name}')` })
}

function readConfigFile(path: string): Record<string, unknown> {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw configFileUnreadable(
      { path, problem: cause instanceof SyntaxError ? 'it is not JSON' : ((cause as NodeJS.ErrnoException).code ?? 'unreadable') },
      { cause },
    )
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw configFileUnreadable({ path, problem: 'it is not a JSON object' })
  const known = (Object.entries(configKeys) as [string, ConfigKey][]).filter(([, key]) => key.file).map(([name]) => name)
  const unknown = Object.keys(content).find((key) => !known.includes(key))
  if (unknown !== undefined) throw configKeyUnknown({ path, key: unknown, known: known.join(', ') })
  return content as Record<string, unknown>
}

function defaultHome({ env, platform }: ConfigInput): string {
  const local = env['LOCALAPPDATA']
  return platform === 'win32' && local !== undefined && local !== '' ? join(local, 'cuckoo') : join(homedir(), '.cuckoo')
}
