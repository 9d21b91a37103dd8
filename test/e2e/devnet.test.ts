import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { commandEntries } from '../../src/cli/commands/index.ts'
import { findTopic } from '../../src/cli/topics.ts'
import { failCuckoo, type RunningCuckoo, runCuckoo, startCuckoo } from '../support/cuckoo.ts'

const folder = mkdtempSync(join(tmpdir(), 'cuckoo-e2e-devnet-'))
const anyPort = ['--rpc-port', '0', '--port', '0', '--miner-bond', '21000']
const started: RunningCuckoo[] = []

function startDevnet(home: string, flags: readonly string[] = anyPort): RunningCuckoo {
  const devnet = startCuckoo(['devnet', 'start', ...flags], { home })
  started.push(devnet)
  return devnet
}

/** Pids of the processes that said in their note which they are. */
function toPids(devnet: RunningCuckoo): number[] {
  return devnet.events.flatMap(({ note }) => {
    const pid = /^process (\d+)$/.exec(String(note))?.[1]
    return pid === undefined ? [] : [Number(pid)]
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const answers = (url: string) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}' }).then(
    () => true,
    () => false,
  )

afterAll(async () => {
  for (const devnet of started) await devnet.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

describe('devnet processes', () => {
  afterEach(async () => {
    for (const devnet of started.splice(0)) await devnet.stop()
  }, 60_000)

  it('a devnet that is killed leaves nothing behind, and another one starts in its place', async () => {
    const home = join(folder, 'killed')
    const devnet = startDevnet(home)
    await devnet.waitFor((event) => event['event'] === 'ready', 120_000)
    const pids = toPids(devnet)
    const { rpcUrl } = JSON.parse(readFileSync(join(home, 'devnet', 'state.json'), 'utf8')) as { rpcUrl: string }
    expect(pids).toHaveLength(2)
    expect(pids.every(isAlive)).toBe(true)
    await devnet.stop('SIGKILL')
    await expect.poll(() => pids.some(isAlive), { timeout: 20_000 }).toBe(false)
    await expect.poll(() => answers(rpcUrl), { timeout: 20_000 }).toBe(false)

    const next = startDevnet(home)
    await next.waitFor((event) => event['event'] === 'section')
    expect((await failCuckoo(['devnet', 'start', ...anyPort], { home })).error.code).toBe('CUCKOO_DEVNET_RUNNING')
  }, 180_000)

  it('stop reaches a devnet that is still starting, and answers when it has gone', async () => {
    const home = join(folder, 'starting')
    const devnet = startDevnet(home)
    await devnet.waitFor((event) => String(event['command']).includes(' deploy '), 60_000)
    const rpcUrl = String(devnet.events.find(({ command }) => command === 'anvil')?.['note']).split(',')[0] as string
    expect(await answers(rpcUrl)).toBe(true)
    expect((await runCuckoo(['devnet', 'stop', '--json'], { home })).code).toBe(0)
    expect(await answers(rpcUrl)).toBe(false)
    expect(await devnet.exited).toBe(143)
    expect(existsSync(join(home, 'devnet', 'owner.json'))).toBe(false)
    expect((await failCuckoo(['devnet', 'stop'], { home })).error.code).toBe('CUCKOO_DEVNET_NOT_RUNNING')
  }, 120_000)

  it('takes other ports when the ones it is told are taken', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const devnet = startDevnet(join(folder, 'taken'), ['--rpc-port', String(port), '--port', String(port), '--miner-bond', '21000'])
    const { state } = (await devnet.waitFor((event) => event['event'] === 'ready', 120_000)) as {
      state: { rpcUrl: string; coordinator: { url: string } }
    }
    taken.close()
    for (const url of [state.rpcUrl, state.coordinator.url]) expect(new URL(url).port).not.toBe(String(port))
  }, 150_000)
})

describe('--json', () => {
  const home = join(folder, 'json')
  const password = join(folder, 'password')
  /** ids that one command prints and a later one takes */
  const made = { app: '', task: '' }
  const own = ['--account', 'own', '--password-file', password, '--yes']
  const staker = ['--account', 'dev-staker-1', '--yes']
  const miner = ['--account', 'dev-miner-1', '--yes']
  const lines: [path: string, args: () => string[]][] = [
    ['account new', () => ['own', '--password-file', password]],
    ['account new', () => ['own-op', '--password-file', password]],
    ['account import', () => ['imported', '--file', join(folder, 'key'), '--password-file', password]],
    ['account list', () => []],
    ['account show', () => ['own']],
    ['account export', () => ['own']],
    ['account export', () => ['own', '--private-key', '--out', join(folder, 'own.key'), '--password-file', password, '--yes']],
    ['devnet status', () => []],
    ['devnet env', () => []],
    ['faucet', () => ['own', '2000200']],
    ['stake', () => ['2000100', ...own]],
    ['stake', () => ['1', '--dry-run', ...own]],
    ['register miner', () => ['--name', 'Own', '--bond', '21000', '--dry-run', '--operator-account', 'own-op', ...own]],
    ['register coordinator', () => ['--name', 'Own', '--url', 'http://127.0.0.1:1', '--bond', '2000001', '--operator-account', 'own-op', ...own]],
    ['node show', () => ['own']],
    ['node set-profile', () => ['--description', 'mine', ...own]],
    ['node set-voter-share', () => ['40', ...own]],
    ['node sign-operator', () => ['own', 'coordinator', '--account', 'imported', '--password-file', password]],
    ['node set-operator', () => ['--operator-account', 'imported', ...own]],
    ['bond', () => ['10', ...own]],
    ['unbond', () => ['10', ...own]],
    ['apps create', () => ['mine', '--coordinator', 'own']],
    ['apps list', () => ['--coordinator', 'own']],
    ['apps revoke', () => [made.app, '--coordinator', 'own']],
    ['node deregister', () => own],
    ['nodes', () => []],
    ['stake', () => ['10', ...staker]],
    ['vote', () => ['dev-miner-1', '5', ...staker]],
    ['unvote', () => ['dev-miner-1', '5', ...staker]],
    ['status', () => staker.slice(0, 2)],
    ['status', () => miner.slice(0, 2)],
    ['models list', () => []],
    ['run', () => ['Tell me a story.', '--max-tokens', '8']],
    ['receipt show', () => [made.task]],
    ['receipt verify', () => [made.task]],
    ['miner status', () => ['dev-miner-1']],
    ['miner pause', () => ['dev-miner-1']],
    ['miner resume', () => ['dev-miner-1']],
    ['miner drain', () => ['dev-miner-1', '--wait']],
    ['miner install-service', () => ['--model', 'cuckoo/storyteller', '--password-file', password, '--account', 'own', '--print']],
    // Afterwards coordinator and miner take seconds to follow the chain's clock: tasks come first.
    ['devnet warp', () => ['11m']],
    ['withdraw', () => ['all', ...staker]],
    ['deploy', () => ['--network', 'devnet', '--rpc-url', getRpcUrl(), '--out', join(folder, 'other.json'), ...staker]],
    ['completion', () => ['bash']],
  ]
  const getRpcUrl = () => (JSON.parse(readFileSync(join(home, 'devnet', 'state.json'), 'utf8')) as { rpcUrl: string }).rpcUrl
  /**
   * Their lines are checked elsewhere: a network, a demo, the two roles that serve; money and court on a chain
   * (test/chain/{money,court}Commands.test.ts); models and a miner's tools by themselves (test/unit/cli/{models,minerTools}.test.ts).
   */
  const onChain = commandEntries.flatMap(({ path }) => (['Earn', 'Court'].includes(findTopic(path)) ? [path] : []))
  const alone = ['pull', 'verify', 'remove', 'manifest']
    .map((word) => `models ${word}`)
    .concat(['doctor', 'models', 'bench', 'setup'].map((word) => `miner ${word}`))
  const elsewhere = ['devnet start', 'devnet stop', 'demo', 'miner start', 'coordinator serve', 'node rest', 'node rejoin', ...onChain, ...alone]

  beforeAll(async () => {
    writeFileSync(password, 'correct horse\n', { mode: 0o600 })
    writeFileSync(join(folder, 'key'), `0x${'42'.repeat(32)}\n`, { mode: 0o600 })
    await startDevnet(home).waitFor((event) => event['event'] === 'ready', 120_000)
  }, 150_000)

  it('is checked for every command', () => {
    expect(new Set([...lines.map(([path]) => path), ...elsewhere])).toEqual(new Set(commandEntries.map(({ path }) => path)))
  })

  it('of every command parses, and is what its schema says', async () => {
    for (const [path, toArgs] of lines) {
      const run = await runCuckoo([...path.split(' '), ...toArgs(), '--json'], { home })
      expect([path, run.code, run.code === 0 ? '' : run.stderr]).toEqual([path, 0, ''])
      const command = await commandEntries.find((entry) => entry.path === path)?.load()
      for (const line of run.stdout.trimEnd().split('\n')) {
        const value: unknown = JSON.parse(line)
        expect({ path, problem: command?.output.safeParse(value).error?.message }).toEqual({ path, problem: undefined })
        if (path === 'run') made.task = (value as { task: string }).task
        if (path === 'apps create') made.app = (value as { id: string }).id
      }
    }
  }, 240_000)

  it('of devnet start and stop too', async () => {
    const run = await runCuckoo(['devnet', 'stop', '--json'], { home })
    const load = async (path: string) => commandEntries.find((entry) => entry.path === path)?.load()
    expect((await load('devnet stop'))?.output.safeParse(JSON.parse(run.stdout)).success).toBe(true)
    const schema = (await load('devnet start'))?.output
    const events = started.at(-1)?.events ?? []
    expect(events.map(({ event }) => event)).toContain('ready')
    for (const event of events) expect(schema?.safeParse(event).success).toBe(true)
  }, 60_000)
})
