import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failCuckoo, type RunningCuckoo, runCuckoo, runCuckooJson, startCuckoo } from '../support/cuckoo.ts'

const home = mkdtempSync(join(tmpdir(), 'cuckoo-e2e-miner-'))
const prompt = 'Tell me a story about a brave fox.'
let devnet: RunningCuckoo
let node: string
let pid: number

interface Status {
  node: string
  pid: number
  phase: string
  pauseReason: string | null
  memory: { usedBytes: number }
  models: { model: string; state: string }[]
  coordinators: { session: string; tasksDone: number; earnedWei: string; tasks: unknown[] }[]
}
const getStatus = () => runCuckooJson<Status>(['miner', 'status'], { home })

async function waitForStatus(isIt: (status: Status) => boolean): Promise<Status> {
  for (const until = Date.now() + 30_000; ; ) {
    const status = await getStatus()
    if (isIt(status)) return status
    if (Date.now() > until) throw new Error(`the miner stays at ${JSON.stringify(status)}`)
  }
}

beforeAll(async () => {
  devnet = startCuckoo(['devnet', 'start', '--rpc-port', '0', '--port', '0', '--miner-bond', '21000'], { home })
  await devnet.waitFor((event) => event['event'] === 'ready', 180_000)
  const state = JSON.parse(readFileSync(join(home, 'devnet', 'state.json'), 'utf8')) as { miners: { node: string; pid: number }[] }
  ;[{ node, pid }] = state.miners as [{ node: string; pid: number }]
}, 200_000)

afterAll(async () => {
  await devnet?.stop()
  rmSync(home, { recursive: true, force: true })
}, 60_000)

/** In order: the last ones end the miner. */
describe('a miner, from another terminal', () => {
  it('tells what it does and earned', async () => {
    await runCuckooJson(['run', prompt, '--max-tokens', '20'], { home })
    const status = await waitForStatus(({ coordinators }) => coordinators[0]?.tasksDone === 1)
    expect(status).toMatchObject({ node, pid, phase: 'running', models: [{ model: 'cuckoo/storyteller', state: 'loaded' }] })
    expect(status.coordinators).toMatchObject([{ session: 'open' }])
    expect(BigInt(status.coordinators[0]?.earnedWei ?? 0)).toBeGreaterThan(0n)
    const { stdout, code } = await runCuckoo(['miner', 'status'], { home })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^miner 0x\w{4}…\w{4} on devnet: running\n/)
    expect(statSync(join(home, 'miner', 'devnet', node, 'control.sock')).mode & 0o777).toBe(0o600)
  })

  it('rests with its memory free, and works again', async () => {
    expect(await runCuckooJson(['miner', 'pause', '--reason', 'a game'], { home })).toMatchObject({ node, phase: 'paused' })
    const paused = await waitForStatus(({ models }) => models.every(({ state }) => state === 'unloaded'))
    expect(paused).toMatchObject({ pauseReason: 'a game', memory: { usedBytes: 0 } })
    expect(await runCuckooJson(['miner', 'resume'], { home })).toMatchObject({ phase: 'running' })
    expect(await runCuckooJson(['run', prompt, '--max-tokens', '5'], { home })).toMatchObject({ miner: node })
  })

  it('ends without loss, and says that it is gone', async () => {
    const running = runCuckooJson<{ text: string }>(['run', prompt, '--max-tokens', '100', '--temperature', '1'], { home })
    await waitForStatus(({ coordinators }) => coordinators.some(({ tasks, tasksDone }) => tasks.length > 0 || tasksDone > 2))
    const ended = await runCuckooJson(['miner', 'drain', '--wait'], { home })
    expect(ended).toEqual({ node, phase: 'stopped', runningTasks: 0 })
    expect((await running).text.length).toBeGreaterThan(0)
    expect(readdirSync(join(home, 'miner', 'devnet', node)).filter((name) => name.startsWith('control'))).toEqual([])
    expect(await failCuckoo(['miner', 'status'], { home })).toMatchObject({ code: 10, error: { code: 'CUCKOO_CONTROL_MINER_NOT_RUNNING' } })
  })

  it('starts again with health and metrics at an address, and leaves nothing that a kill would hold up', async () => {
    const start = ['miner', 'start', '--account', 'dev-miner-1-op', '--model', 'cuckoo/storyteller', '--metrics-listen', '127.0.0.1:0']
    const killed = startCuckoo(start, { home })
    const { url } = (await killed.waitFor((event) => event['event'] === 'metrics-listening')) as { url: string }
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    await killed.waitFor((event) => event['event'] === 'session-opened')
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready', sessions: 1 })
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('cuckoo_miner_event_loop_lag_seconds')
    await killed.stop('SIGKILL')
    expect(existsSync(join(home, 'miner', 'devnet', node, 'control.path'))).toBe(true)
    expect(await failCuckoo(['miner', 'pause'], { home })).toMatchObject({ code: 10, error: { code: 'CUCKOO_CONTROL_MINER_NOT_RUNNING' } })

    const again = startCuckoo(start.slice(0, -2), { home })
    await again.waitFor((event) => event['event'] === 'session-opened', 90_000)
    expect(await getStatus()).toMatchObject({ node, phase: 'running' })
    // a terminal that is closed drains it
    expect(await again.stop('SIGHUP')).toBe(0)
  })
})
