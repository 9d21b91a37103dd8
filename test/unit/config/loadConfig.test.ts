import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { findDuration, formatDuration } from '../../../src/config/duration.ts'
import { type ConfigKey, configKeys, type KeyName } from '../../../src/config/keys.ts'
import { type ConfigInput, loadConfig } from '../../../src/config/loadConfig.ts'
import { getNetworkChoice } from '../../../src/config/networkChoice.ts'

const home = mkdtempSync(join(tmpdir(), 'cuckoo-unit-config-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const load = (input: Partial<ConfigInput>, file: Record<string, unknown> = {}) => {
  writeFileSync(join(home, 'config.json'), JSON.stringify(file))
  return loadConfig({ flags: {}, platform: 'linux', ...input, env: { CUCKOO_HOME: home, ...input.env } })
}

/** Texts of each kind, and what they mean. */
const samples: Record<ConfigKey['kind'], fc.Arbitrary<{ text: string; value: unknown }>> = {
  text: fc.stringMatching(/^[a-z]{1,9}$/).map((text) => ({ text, value: text })),
  path: fc.stringMatching(/^\/[a-z]{1,9}$/).map((text) => ({ text, value: text })),
  url: fc.stringMatching(/^https:\/\/[a-z]{1,9}\.example$/).map((text) => ({ text, value: text })),
  fileOrUrl: fc.stringMatching(/^[a-z]{1,9}\.json$/).map((text) => ({ text, value: text })),
  switch: fc.boolean().map((value) => ({ text: String(value), value })),
  presence: fc.constant({ text: '1', value: true }),
  duration: fc.integer({ min: 1, max: 999 }).map((minutes) => ({ text: `${minutes}m`, value: minutes * 60_000 })),
  bytes: fc.integer({ min: 1, max: 999 }).map((gigabytes) => ({ text: `${gigabytes}GB`, value: gigabytes * 1e9 })),
  descriptor: fc.integer({ min: 0, max: 99 }).map((value) => ({ text: String(value), value })),
  logLevel: fc.constantFrom('silent', 'error', 'warn', 'info', 'debug').map((text) => ({ text, value: text })),
}

describe('precedence', () => {
  const keys = (Object.entries(configKeys) as [KeyName, ConfigKey][]).filter(([name]) => name !== 'home')
  it.each(keys)('%s: flag > environment > config.json > default', (name, key) => {
    const sample = samples[key.kind]
    fc.assert(
      fc.property(fc.option(sample), fc.option(sample), fc.option(sample), (flag, env, file) => {
        const usable = { flag: key.flag === null ? null : flag, env: key.env === null ? null : env, file: key.file ? file : null }
        const config = load(
          {
            flags: usable.flag === null ? {} : { [name]: key.kind === 'switch' || key.kind === 'presence' ? usable.flag.value : usable.flag.text },
            env: usable.env === null ? {} : { [key.env as string]: usable.env.text },
          },
          usable.file === null ? {} : { [name]: usable.file.text },
        )
        const winner = usable.flag ?? usable.env ?? usable.file
        const expectedSource = usable.flag !== null ? 'flag' : usable.env !== null ? 'environment' : usable.file !== null ? 'file' : 'default'
        if (winner !== null) expect(config.values[name]).toEqual(winner.value)
        expect(config.findRaw(name)?.source.kind).toBe(winner !== null || key.default !== undefined ? expectedSource : undefined)
      }),
      { numRuns: 40 },
    )
  })

  it('an empty variable counts as unset', () => {
    expect(load({ env: { CUCKOO_NETWORK: '' } }, { network: 'mine' }).values.network).toBe('mine')
  })
})

describe('keys', () => {
  it('have names, flags and variables of their own', () => {
    const all = Object.values(configKeys) as ConfigKey[]
    for (const field of ['flag', 'env', 'short'] as const) {
      const found = all.map((key) => key[field]).filter((value) => value !== null && value !== undefined)
      expect(new Set(found).size, field).toBe(found.length)
    }
    // The names that everybody else's tools read too.
    const shared = ['NO_COLOR', 'HF_TOKEN', 'HF_TOKEN_PATH']
    for (const { env } of all) if (env !== null && !shared.includes(env)) expect(env).toMatch(/^CUCKOO_[A-Z_]+$/)
  })

  it('that are secret have no place in arguments or the file, but for URLs, whose credentials are refused there', () => {
    for (const [name, key] of Object.entries(configKeys) as [string, ConfigKey][]) {
      if (key.secret && key.kind !== 'url') expect([name, key.flag, key.file]).toEqual([name, null, false])
    }
    expect(() => load({ flags: { rpcUrl: 'https://me:pw@rpc.example' } })).toThrow(expect.objectContaining({ code: 'CUCKOO_CONFIG_SECRET_IN_ARGUMENTS' }))
    expect(load({}, { rpcUrl: 'https://me:pw@rpc.example' }).values.rpcUrl).toBe('https://me:pw@rpc.example')
  })
})

describe('home', () => {
  it('is ~/.cuckoo, or %LOCALAPPDATA%\\cuckoo on Windows, or what is told', () => {
    expect(loadConfig({ flags: {}, env: {}, platform: 'linux' }).values.home).toBe(join(homedir(), '.cuckoo'))
    expect(loadConfig({ flags: {}, env: { LOCALAPPDATA: '/local' }, platform: 'win32' }).values.home).toBe(join('/local', 'cuckoo'))
    expect(loadConfig({ flags: { home: '/elsewhere' }, env: { CUCKOO_HOME: home }, platform: 'linux' }).values.home).toBe('/elsewhere')
  })
})

describe('the network', () => {
  it('is what is named, else the devnet while it runs, else an error', () => {
    expect(getNetworkChoice(load({ env: { CUCKOO_NETWORK: 'mine' } }), true)).toEqual({ network: 'mine', deployment: null, rpcUrl: null })
    expect(getNetworkChoice(load({ flags: { deployment: 'x.json' } }), true)).toEqual({ network: null, deployment: 'x.json', rpcUrl: null })
    expect(getNetworkChoice(load({ env: { CUCKOO_RPC_URL: 'http://127.0.0.1:1' } }), true)).toEqual({
      network: 'devnet',
      deployment: null,
      rpcUrl: 'http://127.0.0.1:1',
    })
    expect(() => getNetworkChoice(load({}), false)).toThrow(expect.objectContaining({ code: 'CUCKOO_CONFIG_NETWORK_MISSING', kind: 'config' }))
  })
})

describe('durations', () => {
  it('are read in units, largest first', () => {
    expect(['7d', '12h', '1h30m', '90s', '500ms'].map(findDuration)).toEqual([604_800_000, 43_200_000, 5_400_000, 90_000, 500])
    for (const wrong of ['', '5', 'soon', '5 m', '-5m', '1m1h', '99999999d', '1e3s']) expect(findDuration(wrong), wrong).toBeUndefined()
  })
  it('are shown in their two largest units', () => {
    expect([0, 59, 61, 601_260, 7 * 86_400].map(formatDuration)).toEqual(['0 s', '59 s', '1 min 1 s', '6 d 23 h', '7 d'])
  })
})
