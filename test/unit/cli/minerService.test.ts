import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { formatLaunchdPlist } from '../../../src/cli/service/launchdPlist.ts'
import type { ServiceSpec } from '../../../src/cli/service/serviceSpec.ts'
import { formatSystemdUnit } from '../../../src/cli/service/systemdUnit.ts'
import { formatWindowsTask } from '../../../src/cli/service/windowsTask.ts'
import { createFakeChain, createFakePorts, runMain } from '../../support/cli.ts'
import { runJson } from '../../support/runCli.ts'

const folder = mkdtempSync(join(tmpdir(), 'cuckoo-unit-service-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tricky = ['/opt/my node/bin/node', '/opt/cuckoo/bin/cuckoo.js', 'miner', 'start', '--pin', 'a "b" 100% $HOME \\', '--model', "o'neil/<m>&co"] as const
const spec: ServiceSpec = {
  description: 'cuckoo miner (50% on cuckoo)',
  command: [...tricky],
  scope: 'system',
  user: 'ada',
  home: '/srv/cuckoo home',
  stopSeconds: 35,
}

const has = (program: string) => spawnSync(program, ['--version']).error === undefined
/** JSON that a line of Python makes of `input`: a parser that is not ours. */
const askPython = (script: string, input: string): unknown => JSON.parse(spawnSync('python3', ['-c', script], { input, encoding: 'utf8' }).stdout)
const word = fc.string({ unit: fc.constantFrom('a', ' ', '"', "'", '\\', '<', '&', '%', '$', '\t') })

/** Directives of a unit by their name, whatever their section; those that stand twice would show the last. */
function readUnit(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => (line.includes('=') ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]] : [])),
  )
}

/** Words of a command line as systemd.service(5) and systemd.unit(5) read them: quotes, then `%%` and `$$`. */
function readWords(line = ''): string[] {
  const words = line.match(/"(?:[^"\\]|\\.)*"|[^ ]+/g) ?? []
  return words.map((text) => (text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text).replaceAll('%%', '%').replaceAll('$$', '$'))
}

describe('a systemd unit', () => {
  it('of the machine runs as its user, is hardened, and leaves GPUs alone', () => {
    const unit = readUnit(formatSystemdUnit(spec))
    expect(readWords(unit['ExecStart'])).toEqual(tricky)
    expect(unit).toMatchObject({ User: 'ada', Restart: 'on-abnormal', RestartForceExitStatus: '75', TimeoutStopSec: '35', WantedBy: 'multi-user.target' })
    expect(unit).toMatchObject({ NoNewPrivileges: 'yes', LimitCORE: '0', CapabilityBoundingSet: '', ProtectSystem: 'strict' })
    expect(readWords(unit['ReadWritePaths'])).toEqual([spec.home, tmpdir()])
    for (const name of ['PrivateDevices', 'MemoryDenyWriteExecute', 'ProtectClock']) expect(unit).not.toHaveProperty(name)
  })

  it('of a user asks for nothing that needs rights', () => {
    const unit = readUnit(formatSystemdUnit({ ...spec, scope: 'user' }))
    expect(unit).toMatchObject({ Restart: 'on-abnormal', NoNewPrivileges: 'yes', LimitCORE: '0', WantedBy: 'default.target' })
    expect(Object.keys(unit).filter((name) => /^(?:User|Protect|Restrict|Capability|ReadWrite)/.test(name) && !name.startsWith('RestartF'))).toEqual([])
  })

  it('gives every argument back as it was', () => {
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const unit = readUnit(formatSystemdUnit({ ...spec, command: ['/usr/bin/node', ...words] }))
        expect(readWords(unit['ExecStart'])).toEqual(['/usr/bin/node', ...words])
      }),
    )
  })

  it('is one in the eyes of systemd', (context) => {
    if (!has('systemd-analyze')) return context.skip('skipped: no systemd-analyze')
    const path = join(folder, 'cuckoo-miner.service')
    const program = join(folder, 'my program')
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
    writeFileSync(path, formatSystemdUnit({ ...spec, user: 'root', command: [program, ...tricky.slice(1)] }))
    const { stdout, stderr, status } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' })
    expect(`${stdout}${stderr}`.split('\n').filter((line) => line.includes('cuckoo-miner'))).toEqual([])
    expect(status).toBe(0)
  })
})

describe('a launchd property list', () => {
  const readPlist = (text: string) => askPython('import plistlib,sys,json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))', text)

  it('starts it at once and after every bad end', (context) => {
    if (!has('python3')) return context.skip('skipped: no python3, whose plistlib reads it')
    const restart = { RunAtLoad: true, KeepAlive: { SuccessfulExit: false }, ExitTimeOut: 35 }
    const list = readPlist(formatLaunchdPlist(spec))
    expect(list).toMatchObject({ ...restart, UserName: 'ada', ProgramArguments: tricky, HardResourceLimits: { Core: 0 } })
    expect(readPlist(formatLaunchdPlist({ ...spec, scope: 'user' }))).not.toHaveProperty('UserName')
  })
})

/** Arguments as CommandLineToArgvW parts them: 2n backslashes and a quote make n and an end, 2n + 1 make n and a quote. */
function parseCommandLine(line: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let quoted = false
  for (let at = 0; at < line.length; at++) {
    const slashes = /^\\*/.exec(line.slice(at))?.[0].length ?? 0
    if (slashes > 0 && line[at + slashes] === '"') {
      word = (word ?? '') + '\\'.repeat(slashes >> 1)
      if (slashes % 2 === 1) word += '"'
      at += slashes - (slashes % 2 === 1 ? 0 : 1)
    } else if (line[at] === '"') {
      quoted = !quoted
      word ??= ''
    } else if (/[ \t\n]/.test(line[at] as string) && !quoted) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + line[at]
  }
  return word === null ? words : [...words, word]
}

/** Text of the first `tag`. */
function readTag(xml: string, tag: string): string {
  const text = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(xml)?.[1] ?? ''
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}

describe('a task of the Windows Task Scheduler', () => {
  it('starts with the machine and after every bad end, without a password', () => {
    const task = formatWindowsTask(spec)
    expect([readTag(task, 'Command'), ...parseCommandLine(readTag(task, 'Arguments'))]).toEqual(tricky)
    expect(task).toContain('<BootTrigger />')
    const principal = ['UserId', 'LogonType', 'RunLevel'].map((tag) => readTag(task, tag))
    expect(principal).toEqual(['ada', 'S4U', 'LeastPrivilege'])
    expect(['Interval', 'Count', 'ExecutionTimeLimit', 'MultipleInstancesPolicy'].map((tag) => readTag(task, tag))).toEqual([
      'PT1M',
      '999',
      'PT0S',
      'IgnoreNew',
    ])
  })
  it('starts when its user logs on', () => {
    const task = formatWindowsTask({ ...spec, scope: 'user', user: 'DESK\\ada' })
    expect(readTag(readTag(task, 'LogonTrigger'), 'UserId')).toBe('DESK\\ada')
    expect(readTag(task, 'LogonType')).toBe('InteractiveToken')
    expect(task).not.toContain('BootTrigger')
  })
  it('gives every argument back as it was', () => {
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(parseCommandLine(readTag(formatWindowsTask({ ...spec, command: ['node.exe', ...words] }), 'Arguments'))).toEqual(words)
      }),
    )
  })
  it('is XML in the eyes of another parser', (context) => {
    if (!has('python3')) return context.skip('skipped: no python3, whose ElementTree reads it')
    // It is UTF-16 as a file; the parser gets it as text.
    const script =
      'import sys,json,xml.etree.ElementTree as e; print(json.dumps([x.text for x in e.fromstring(sys.stdin.read()).iter() if x.tag.endswith("}Command")]))'
    expect(askPython(script, formatWindowsTask(spec).replace(/^<\?xml.*\?>/, ''))).toEqual([tricky[0]])
  })
})

describe('miner install-service', () => {
  const fake = createFakeChain()
  const passwordFile = join(folder, 'pass word.txt')
  const model = ['--model', 'cuckoo/storyteller']
  const own = ['miner', 'install-service', '--account', 'alice', ...model]
  const unit = join(folder, '.config', 'systemd', 'user', 'cuckoo-miner.service')
  beforeEach(() => {
    writeFileSync(passwordFile, 'secret horse\n')
    process.env['HOME'] = folder
  })
  const fail = async (argv: string[], env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await runMain(argv, { compose: createFakePorts(fake), env })
    expect(stdout).toBe('')
    return `${stderr}exit ${code}`
  }

  it.skipIf(process.platform !== 'linux')('writes a unit with the command line, the password’s file and no password, and removes it', async () => {
    const flags = [
      '--slots',
      '4',
      '--min-price',
      '0.001',
      '--grace',
      '90s',
      '--memory',
      '8GB',
      '--device-slots',
      'webgpu=1',
      '--coordinator',
      'https://a.example',
    ]
    const report = await runJson(fake, [...own, '--user', '--password-file', passwordFile, '--rpc-url', 'https://rpc.example', ...flags])
    expect(report).toMatchObject({ manager: 'systemd', path: unit, done: 'written' })
    const text = readFileSync(unit, 'utf8')
    const line = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? ''
    expect(line.slice(line.indexOf('miner start')).replace(passwordFile, '<file>')).toMatchInlineSnapshot(
      `"miner start --home /nowhere/home --network fakenet --account alice --rpc-url https://rpc.example --password-file "<file>" --model cuckoo/storyteller --slots 4 --device-slots webgpu=1 --memory 8000MB --coordinator https://a.example --min-price 0.001 --grace 90s"`,
    )
    expect(text).not.toContain('horse')
    expect(statSync(unit).mode & 0o777).toBe(0o644)
    expect(await runJson(fake, ['miner', 'install-service', '--user', '--uninstall'])).toMatchObject({ done: 'removed', path: unit })
    expect(existsSync(unit)).toBe(false)
    expect(await runJson(fake, ['miner', 'install-service', '--user', '--uninstall'])).toMatchObject({ done: 'absent', next: [] })
  })

  it('prints nothing but the file with --print, and writes none', async () => {
    const { code, stdout } = await runMain([...own, '--print', '--password-file', passwordFile], { compose: createFakePorts(fake) })
    expect(code).toBe(0)
    if (process.platform === 'linux') expect(stdout).toMatch(/^\[Unit\]\n[\s\S]*WantedBy=multi-user.target\n$/)
    expect(existsSync(unit)).toBe(false)
  })

  it('refuses what would ask for a password, or carry one', async () => {
    expect(await fail(own)).toMatchInlineSnapshot(`
      "error: A service has nobody to ask for the password of 'alice'. (CUCKOO_SERVICE_WOULD_ASK)
      hint: Put the password into a file that only you can read, and name it with \`--password-file <file>\`.
      exit 2"
    `)
    expect(await fail(own, { CUCKOO_PASSWORD: 'secret horse' })).toMatchInlineSnapshot(`
      "error: CUCKOO_PASSWORD is a secret of this terminal's environment: a service file is no place for it. (CUCKOO_SERVICE_SECRET_EXPOSED)
      hint: Use \`--password-file <file>\` instead.
      exit 2"
    `)
    expect(await fail(own, { CUCKOO_PRIVATE_KEY: `0x${'11'.repeat(32)}` })).toContain('CUCKOO_SERVICE_SECRET_EXPOSED')
    const rpc = { CUCKOO_PASSWORD_FILE: passwordFile, CUCKOO_RPC_URL: 'https://u:horse@rpc.example' }
    expect(await fail(own, rpc)).toMatchInlineSnapshot(`
      "error: CUCKOO_RPC_URL is a secret of this terminal's environment: a service file is no place for it. (CUCKOO_SERVICE_SECRET_EXPOSED)
      hint: Use "rpcUrl" in config.json of /nowhere/home instead.
      exit 2"
    `)
  })

  it('refuses a service without models, or with a name that is none', async () => {
    expect(await fail(['miner', 'install-service', '--password-file', passwordFile])).toContain('CUCKOO_MINER_MODELS_MISSING')
    expect(await fail(['miner', 'install-service', '--password-file', passwordFile, '--model', 'nonsense'])).toContain('CUCKOO_CLI_VALUE_INVALID')
  })
})
