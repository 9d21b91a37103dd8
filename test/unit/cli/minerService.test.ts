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

function has(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined
}

describe('a systemd unit', () => {
  it('of the machine is hardened, and leaves GPUs alone', () => {
    const text = formatSystemdUnit(spec).replace(tmpdir(), '/tmp')
    expect(text).toMatchInlineSnapshot(`
      "[Unit]
      Description=cuckoo miner (50%% on cuckoo)
      Wants=network-online.target
      After=network-online.target

      [Service]
      Type=exec
      User=ada
      ExecStart="/opt/my node/bin/node" /opt/cuckoo/bin/cuckoo.js miner start --pin "a \\"b\\" 100%% $$HOME \\\\" --model "o'neil/<m>&co"
      Restart=on-abnormal
      RestartForceExitStatus=75
      RestartSec=10
      KillMode=mixed
      TimeoutStopSec=35
      NoNewPrivileges=yes
      LimitCORE=0
      UMask=0077
      CapabilityBoundingSet=
      ProtectSystem=strict
      ProtectHome=read-only
      ReadWritePaths="/srv/cuckoo home" /tmp
      ProtectKernelTunables=yes
      ProtectKernelModules=yes
      ProtectKernelLogs=yes
      ProtectControlGroups=yes
      RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
      RestrictNamespaces=yes
      RestrictSUIDSGID=yes
      LockPersonality=yes

      [Install]
      WantedBy=multi-user.target
      "
    `)
    expect(text).not.toMatch(/PrivateDevices|MemoryDenyWriteExecute|ProtectClock/)
  })

  it('of a user asks for nothing that needs rights', () => {
    expect(formatSystemdUnit({ ...spec, scope: 'user', command: ['/usr/bin/node', 'cuckoo.js'] })).toMatchInlineSnapshot(`
      "[Unit]
      Description=cuckoo miner (50%% on cuckoo)

      [Service]
      Type=exec
      ExecStart=/usr/bin/node cuckoo.js
      Restart=on-abnormal
      RestartForceExitStatus=75
      RestartSec=10
      KillMode=mixed
      TimeoutStopSec=35
      NoNewPrivileges=yes
      LimitCORE=0
      UMask=0077

      [Install]
      WantedBy=default.target
      "
    `)
  })

  it.skipIf(!has('systemd-analyze'))('is one in the eyes of systemd (skipped without systemd-analyze)', () => {
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
  it('starts it at once and after every bad end', () => {
    expect(formatLaunchdPlist(spec)).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
      <plist version="1.0">
      <dict>
        <key>Label</key>
        <string>network.cuckoo.miner</string>
        <key>UserName</key>
        <string>ada</string>
        <key>ProgramArguments</key>
        <array>
          <string>/opt/my node/bin/node</string>
          <string>/opt/cuckoo/bin/cuckoo.js</string>
          <string>miner</string>
          <string>start</string>
          <string>--pin</string>
          <string>a &quot;b&quot; 100% $HOME \\</string>
          <string>--model</string>
          <string>o'neil/&lt;m&gt;&amp;co</string>
        </array>
        <key>RunAtLoad</key>
        <true/>
        <key>KeepAlive</key>
        <dict>
          <key>SuccessfulExit</key>
          <false/>
        </dict>
        <key>ThrottleInterval</key>
        <integer>10</integer>
        <key>ExitTimeOut</key>
        <integer>35</integer>
        <key>Umask</key>
        <integer>63</integer>
        <key>HardResourceLimits</key>
        <dict>
          <key>Core</key>
          <integer>0</integer>
        </dict>
        <key>StandardOutPath</key>
        <string>/srv/cuckoo home/miner/service.log</string>
        <key>StandardErrorPath</key>
        <string>/srv/cuckoo home/miner/service.log</string>
      </dict>
      </plist>
      "
    `)
  })

  it.skipIf(!has('python3'))('is read back word by word (skipped without python3)', () => {
    const script = 'import plistlib,sys,json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())["ProgramArguments"]))'
    const { stdout } = spawnSync('python3', ['-c', script], { input: formatLaunchdPlist(spec), encoding: 'utf8' })
    expect(JSON.parse(stdout)).toEqual(tricky)
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

function readArguments(task: string): string[] {
  const text = /<Arguments>(.*)<\/Arguments>/s.exec(task)?.[1] ?? ''
  return parseCommandLine(text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'))
}

describe('a task of the Windows Task Scheduler', () => {
  it('starts with the machine, without a password', () => {
    expect(formatWindowsTask(spec)).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-16"?>
      <Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
        <RegistrationInfo>
          <Description>cuckoo miner (50% on cuckoo)</Description>
        </RegistrationInfo>
        <Triggers>
          <BootTrigger />
        </Triggers>
        <Principals>
          <Principal id="Author">
            <UserId>ada</UserId>
            <LogonType>S4U</LogonType>
            <RunLevel>LeastPrivilege</RunLevel>
          </Principal>
        </Principals>
        <Settings>
          <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
          <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
          <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
          <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
          <RestartOnFailure>
            <Interval>PT1M</Interval>
            <Count>999</Count>
          </RestartOnFailure>
        </Settings>
        <Actions Context="Author">
          <Exec>
            <Command>/opt/my node/bin/node</Command>
            <Arguments>/opt/cuckoo/bin/cuckoo.js miner start --pin &quot;a \\&quot;b\\&quot; 100% $HOME \\\\&quot; --model o'neil/&lt;m&gt;&amp;co</Arguments>
          </Exec>
        </Actions>
      </Task>
      "
    `)
  })
  it('starts when its user logs on', () => {
    expect(formatWindowsTask({ ...spec, scope: 'user', user: 'DESK\\ada' })).toContain('<LogonTrigger>\n      <UserId>DESK\\ada</UserId>')
  })
  it('gives every argument back as it was', () => {
    const word = fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '<', '&', '%', '\t') })
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(readArguments(formatWindowsTask({ ...spec, command: ['node.exe', ...words] }))).toEqual(words)
      }),
    )
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
