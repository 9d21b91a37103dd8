import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type ControlClient, controlPathFile, createControlClient } from '../../../src/api/controlClient.ts'
import { toFlags } from '../../../src/cli/flags.ts'
import { minerOptions, parseListen } from '../../../src/cli/minerOptions.ts'
import { sessionInvalid } from '../../../src/errors/api.ts'
import type { CuckooError } from '../../../src/errors/cuckooError.ts'
import { createControlHandlers } from '../../../src/miner/controlHandlers.ts'
import { type ControlServer, openControlServer } from '../../../src/miner/controlServer.ts'
import type { MinerConfig } from '../../../src/miner/minerConfig.ts'
import type { MinerState } from '../../../src/miner/minerState.ts'
import type { RunningMiner } from '../../../src/miner/startMiner.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { createMinerMetrics } from '../../../src/telemetry/metrics.ts'
import { createFakeChain, createFakePorts, createNode, operator, otherNode, owner, runMain } from '../../support/cli.ts'
import { createCoordinatorState, createMinerState, stateTakenAtMs } from '../../support/minerStatus.ts'
import { runJson, runText } from '../../support/runCli.ts'

process.env['TZ'] = 'UTC'
const esc = String.fromCharCode(27)
const upAndClear = new RegExp(`${esc}\\[\\d+A\r${esc}\\[J`)
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

interface Control {
  calls: [string, unknown?][]
  state: MinerState
  server: ControlServer
  /** the miner's folder */
  folder: string
  path: string
  client: ControlClient
}

/** A real control endpoint over a miner that only notes what it is told. */
async function openControl(options: { folder?: string; starting?: boolean; metrics?: boolean; state?: Partial<MinerState> } = {}): Promise<Control> {
  const root = mkdtempSync(join(tmpdir(), 'cuckoo-unit-control-'))
  const folder = join(root, options.folder ?? 'miner')
  mkdirSync(folder, { recursive: true })
  const control = { calls: [] as Control['calls'], state: createMinerState(options.state), folder }
  const note = async (verb: string, input?: unknown) => void control.calls.push([verb, input])
  const miner = {
    state: () => control.state,
    pause: async (input: { reason: string }) => {
      control.state = { ...control.state, phase: 'paused', pauseReason: input.reason }
      await note('pause', input)
    },
    resume: () => {
      control.state = { ...control.state, phase: 'running', pauseReason: null }
      return note('resume')
    },
    drain: async (input: unknown) => {
      control.state = { ...control.state, phase: 'draining' }
      await note('drain', input)
    },
  } as unknown as RunningMiner
  const findMiner = () => (options.starting === true ? null : miner)
  const server = await openControlServer({
    folder,
    metricsListen: options.metrics === true ? { host: '127.0.0.1', port: 0 } : null,
    handlers: createControlHandlers({ findMiner, metrics: createMinerMetrics(), version: '1.2.3', network: 'fakenet' }),
    logger: createLogger({ level: 'silent', name: 'miner' }),
    clock: { nowMs: () => stateTakenAtMs },
  })
  const path = readFileSync(join(folder, controlPathFile), 'utf8')
  const client = createControlClient(path)
  cleanUps.push(
    () => rmSync(root, { recursive: true, force: true }),
    () => server.close(),
    () => client.close(),
  )
  return Object.assign(control, { server, path, client })
}

const listing = (...controls: { client: ControlClient; state: MinerState }[]) => ({
  listMinerControls: async () => controls.map(({ client, state }) => ({ node: state.node, client })),
})

describe('the control endpoint of a miner', () => {
  it.skipIf(process.platform === 'win32')('is a socket in the miner’s folder that nobody else may open, gone at the end', async () => {
    const { folder, path, server, client } = await openControl()
    expect(path).toBe(join(folder, 'control.sock'))
    for (const file of [path, join(folder, controlPathFile)]) expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await client.getMinerHealth({})).toEqual({ status: 'ok', version: '1.2.3' })
    await server.close()
    expect(readdirSync(folder)).toEqual([])
    await expect(client.getMinerHealth({})).rejects.toMatchObject({ code: 'CUCKOO_CONTROL_FAILED' })
  })

  it.skipIf(process.platform === 'win32')('lies in a folder of its own where the path would be too long for a socket', async () => {
    const { path, server, client } = await openControl({ folder: 'x'.repeat(120) })
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103)
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    expect(await client.getMinerStatus({})).toMatchObject({ node: owner })
    await server.close()
    expect(existsSync(dirname(path))).toBe(false)
  })

  it('takes the place of what a killed miner left', async () => {
    const first = await openControl()
    await first.server.close()
    writeFileSync(join(first.folder, 'control.sock'), '')
    const again = await openControlServer({
      folder: first.folder,
      metricsListen: null,
      handlers: createControlHandlers({ findMiner: () => null, metrics: createMinerMetrics(), version: '1', network: 'fakenet' }),
      logger: createLogger({ level: 'silent', name: 'miner' }),
      clock: { nowMs: () => stateTakenAtMs },
    })
    cleanUps.push(() => again.close())
    await expect(first.client.getMinerStatus({})).rejects.toMatchObject({ code: 'CUCKOO_CONTROL_MINER_STARTING' })
  })

  it('tells the whole state, money to the wei and errors with their hint', async () => {
    const lastError = sessionInvalid({ reason: 'it is unknown' })
    const { client } = await openControl({ state: { coordinators: [createCoordinatorState({ lastError })], lastError: { atMs: 5, error: lastError } } })
    const status = await client.getMinerStatus({})
    expect(status).toMatchObject({
      kinds: createMinerState().kinds,
      models: createMinerState().models,
      coordinators: [{ earnedWei: 10n ** 16n }],
      network: 'fakenet',
      pid: process.pid,
    })
    const { code, message, hint } = lastError as CuckooError
    expect(status.lastError).toEqual({ atMs: 5, error: { code, message, hint } })
    expect(status.coordinators[0]?.lastError).toEqual({ code, message, hint })
  })

  it('serves health, readiness and metrics elsewhere too, and nothing that changes anything', async () => {
    const { server, state } = await openControl({ metrics: true })
    const get = async (path: string, init: RequestInit = {}) => {
      const answer = await fetch(`${server.metricsUrl}${path}`, { ...init, headers: { connection: 'close' } })
      return { status: answer.status, text: await answer.text() }
    }
    expect(await get('/healthz')).toMatchObject({ status: 200 })
    expect(await get('/readyz')).toEqual({ status: 200, text: '{"status":"ready","sessions":1}' })
    expect((await get('/metrics')).text).toContain('cuckoo_miner_tasks_done_total')
    for (const path of ['/control/v1/pause', '/control/v1/drain']) expect(await get(path, { method: 'POST', body: '{}' })).toMatchObject({ status: 404 })
    state.coordinators = [createCoordinatorState({ session: 'retrying' })]
    expect(await get('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('no coordinator has a session with it') })
    state.phase = 'paused'
    expect(await get('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('it is paused') })
  })

  it('refuses an address that it cannot have', async () => {
    const { server } = await openControl({ metrics: true })
    const { port } = new URL(server.metricsUrl ?? '')
    const folder = mkdtempSync(join(tmpdir(), 'cuckoo-unit-control-'))
    cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
    const open = openControlServer({
      folder,
      metricsListen: { host: '127.0.0.1', port: Number(port) },
      handlers: createControlHandlers({ findMiner: () => null, metrics: createMinerMetrics(), version: '1', network: 'fakenet' }),
      logger: createLogger({ level: 'silent', name: 'miner' }),
      clock: { nowMs: () => stateTakenAtMs },
    })
    await expect(open).rejects.toMatchObject({ code: 'CUCKOO_CONTROL_METRICS_LISTEN_FAILED', facts: { reason: 'EADDRINUSE' } })
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('miner status', () => {
  it('shows everything at 80 columns', async () => {
    const control = await openControl()
    const text = await runText(createFakeChain(), ['miner', 'status', '--once'], { overrides: listing(control) })
    expect(text.replace(`process ${process.pid}`, 'process 4242')).toMatchInlineSnapshot(`
      "miner 0x1111…1111 on fakenet: running
        up 3 h 12 min, process 4242, cuckoo 1.2.3, operator 0x3333…3333
        1 of 2 slots busy; webgpu 1 running, 2 waiting
        models 1.24 GB of 8.00 GB; event loop late p50 0.4 ms, p99 3.2 ms, max 21 ms

      models
      model                 dtype  device  state                      units/s   memory
      cuckoo/blocks         fp16   webgpu  loaded, pinned, 1 running      8.2  1.24 GB
      an-owner-with-a-lon…  q8     cpu     unloaded                        83   620 MB

      coordinators
      coordinator                  session  slots   weight  done  failed   CAI
      https://coordinator.example  open         2  2100000    12       1  0.01
        1 unpaid; vouchers ~0.016666 CAI, redeemable ~0.014285 CAI
        line left 9 CAI

      running tasks
      task         kind   model                         done   time
      0xeeee…eeee  image  cuckoo/blocks  7 of 20 image steps  2.5 s

      kinds since the start
      kind   done  failed  units  units/s    p50    p95   CAI
      image    12       1    240      7.3  2.7 s  3.9 s  0.01
      exit 0"
    `)
  })

  it('says why there are no tasks, what crashed, and that the RPC is gone', async () => {
    const lastError = sessionInvalid({ reason: 'it is unknown' })
    const control = await openControl({
      state: {
        phase: 'paused',
        pauseReason: 'a game',
        nodeSetAgeMs: 125_000,
        models: [],
        kinds: [],
        devices: [],
        memory: { usedBytes: 0, budgetBytes: null },
        coordinators: [
          createCoordinatorState({ tasks: [], lastReasons: ['no task is waiting for your models', 'your weight is 22000 CAI'], paymentFactor: 0.5 }),
          createCoordinatorState({ url: 'https://other.example', session: 'retrying', payments: null, tasks: [], lastError }),
        ],
        crashedTasks: [
          {
            taskId: `0x${'ee'.repeat(32)}`,
            attempt: 1,
            coordinator: otherNode,
            model: 'a/b',
            manifest: `0x${'ab'.repeat(32)}`,
            atMs: stateTakenAtMs,
            reported: false,
          },
        ],
        lastError: { atMs: stateTakenAtMs, error: lastError },
      },
    })
    const text = await runText(createFakeChain(), ['miner', 'status', '--once'], { overrides: listing(control) })
    expect(text.replace(`process ${process.pid}`, 'process 4242')).toMatchInlineSnapshot(`
      "miner 0x1111…1111 on fakenet: paused (a game)
        up 3 h 12 min, process 4242, cuckoo 1.2.3, operator 0x3333…3333
        0 of 2 slots busy
        models 0 B; event loop late p50 0.4 ms, p99 3.2 ms, max 21 ms
        the node set was read 2 min 5 s ago: is the RPC there?

      coordinators
      coordinator                  session   slots   weight  done  failed   CAI
      https://coordinator.example  open          2  2100000    12       1  0.01
        1 unpaid; vouchers ~0.016666 CAI, redeemable ~0.014285 CAI
        line left 9 CAI; counts 50 % for how it pays
        no task: no task is waiting for your models; your weight is 22000 CAI
      https://other.example        retrying      2  2100000    12       1  0.01
        The miner session is not valid: it is unknown.

      tasks that ended the process: not run here again for a day
      2026-01-01 00:00 0xeeee…eeee of a/b, the coordinator does not know yet

      last error, 2026-01-01 00:00: The miner session is not valid: it is unknown.
        (CUCKOO_SESSION_INVALID)
      exit 0"
    `)
  })

  it('is kept current in place until Ctrl-C', async () => {
    const control = await openControl()
    let shown = ''
    let send: (signal: 'SIGINT') => void = () => {}
    const { code } = await runMain(['miner', 'status'], {
      terminal: true,
      compose: createFakePorts(createFakeChain(), listing(control)),
      onStart: (signal) => {
        send = signal
      },
      onStdout: (text) => {
        shown += text
        if (text.startsWith('miner')) control.state.coordinators = []
        else send('SIGINT')
      },
    })
    expect(code).toBe(130)
    // the second frame goes up over the first and is another
    const [first = '', second = ''] = shown.split(upAndClear)
    expect(Number(upAndClear.exec(shown)?.[0].replaceAll(/\D/g, ''))).toBe(first.split('\n').length - 1)
    expect(first).toContain('https://coordinator.example')
    expect(second).toContain('No active coordinator')
  })

  it('is JSON with --json, once', async () => {
    const control = await openControl()
    expect(await runJson(createFakeChain(), ['miner', 'status'], listing(control))).toMatchObject({
      phase: 'running',
      coordinators: [{ earnedWei: '10000000000000000' }],
    })
  })
})

describe('miner pause, resume and drain', () => {
  it('reach the miner with what was typed', async () => {
    const control = await openControl()
    const run = (...argv: string[]) => runText(createFakeChain(), ['miner', ...argv], { overrides: listing(control) })
    expect(await run('pause', '--reason', 'a game')).toMatchInlineSnapshot(`
      "Miner 0x1111…1111 takes no new tasks; 1 running task may end first.
      \`cuckoo miner resume\` lets it work again.
      exit 0"
    `)
    expect(await run('resume')).toMatchInlineSnapshot(`
      "Miner 0x1111…1111 is running.
      exit 0"
    `)
    expect(await run('drain', '--grace', '90s')).toMatchInlineSnapshot(`
      "Miner 0x1111…1111 takes no new tasks, and ends after 1 running task.
      exit 0"
    `)
    expect(control.calls).toEqual([
      ['pause', { reason: 'a game' }],
      ['resume', undefined],
      ['drain', { graceMs: 90_000 }],
    ])
  })

  it('drain --wait comes back when the miner has ended', async () => {
    const control = await openControl()
    setTimeout(() => void control.server.close(), 600)
    const startedAt = performance.now()
    expect(await runJson(createFakeChain(), ['miner', 'drain', '--wait'], listing(control))).toEqual({ node: owner, phase: 'stopped', runningTasks: 0 })
    expect(performance.now() - startedAt).toBeGreaterThan(500)
  })

  it('say that no miner runs, that the named one does not, and that several do', async () => {
    const [first, second] = [await openControl(), await openControl({ state: { node: otherNode, operator: otherNode } })]
    const gone = await openControl()
    await gone.server.close()
    const fail = async (argv: string[], overrides: ReturnType<typeof listing>) => {
      const { code, stderr } = await runMain(['miner', ...argv], { compose: createFakePorts(createFakeChain(), overrides) })
      return `${stderr}exit ${code}`
    }
    expect(await fail(['pause'], listing())).toMatchInlineSnapshot(`
      "error: No miner of 'fakenet' runs in /nowhere/home. (CUCKOO_CONTROL_MINER_NOT_RUNNING)
      hint: Start it with \`cuckoo miner start\`; give --home or --network where it runs with another.
      exit 10"
    `)
    expect(await fail(['pause'], listing(gone))).toContain('CUCKOO_CONTROL_MINER_NOT_RUNNING')
    expect(await fail(['pause', otherNode], listing(first))).toContain(`The miner ${otherNode} does not run`)
    expect(await fail(['pause', '--account', 'alice'], listing(second))).toContain(`The miner ${owner} does not run`)
    expect(await fail(['pause'], listing(first, second))).toMatchInlineSnapshot(`
      "error: 2 miners run here: 0x1111111111111111111111111111111111111111, 0x2222222222222222222222222222222222222222. (CUCKOO_CONTROL_MINER_AMBIGUOUS)
      hint: Name one: \`cuckoo miner pause <address or account>\`.
      exit 2"
    `)
    expect(first.calls.length + second.calls.length).toBe(0)
    // by its operator, and by the account in use
    expect(await runJson(createFakeChain(), ['miner', 'pause', operator], listing(first, second))).toMatchObject({ node: owner })
    expect(await runJson(createFakeChain(), ['miner', 'resume', '--account', 'alice'], listing(first, second))).toMatchObject({ node: owner })
  })

  it('say of a miner that starts that it does', async () => {
    const control = await openControl({ starting: true })
    const { code, stderr } = await runMain(['miner', 'status'], { compose: createFakePorts(createFakeChain(), listing(control)) })
    expect([code, stderr]).toEqual([75, expect.stringContaining('CUCKOO_CONTROL_MINER_STARTING')])
  })
})

describe('miner start', () => {
  /** A chain on which `owner` is the operator of the miner `otherNode`, and a miner that ends when it is told. */
  function createStarting() {
    const fake = createFakeChain()
    fake.nodes.set(otherNode, createNode(otherNode, { operator: owner }))
    Object.assign(fake.chain, { findOperator: async () => ({ node: otherNode, validUntil: 2n ** 64n - 1n }) })
    const seen: { config?: MinerConfig; metricsListen?: unknown; drained: number[] } = { drained: [] }
    const done = Promise.withResolvers<void>()
    const overrides: Parameters<typeof createFakePorts>[1] = {
      startMiner: async (_node, _signer, config, _onEvent, control) => {
        Object.assign(seen, { config, metricsListen: control.metricsListen })
        if (control.metricsListen !== null) control.onMetrics('http://127.0.0.1:9464')
        const drain = async ({ graceMs }: { graceMs: number }) => {
          seen.drained.push(graceMs)
          done.resolve()
        }
        return { drain, done: done.promise } as unknown as RunningMiner
      },
    }
    return { fake, seen, overrides, end: () => done.resolve() }
  }

  it('hands its options on', async () => {
    const { fake, seen, overrides } = createStarting()
    const flags = ['--slots', '4', '--device-slots', 'webgpu=1', '--device-slots', 'cpu=3', '--memory', '8GB', '--pin', 'a/b', '--grace', '5s']
    const run = await runMain(['miner', 'start', ...flags, '--metrics-listen', '9464', '--json'], {
      compose: createFakePorts(fake, overrides),
      onStart: (send) => setTimeout(() => send('SIGHUP'), 200),
    })
    expect(run.code).toBe(0)
    expect(seen.config).toMatchObject({ slots: 4, slotsByDevice: { webgpu: 1, cpu: 3 }, memoryBytes: 8e9, pinned: ['a/b'] })
    expect(seen.metricsListen).toEqual({ host: '127.0.0.1', port: 9464 })
    expect(run.stdout).toContain('"event":"metrics-listening"')
    // a terminal that was closed drains it, as Ctrl-C does
    expect(seen.drained).toEqual([5_000])
  })

  it('ends by itself when it was drained from another terminal', async () => {
    const { fake, overrides, end } = createStarting()
    setTimeout(end, 200)
    expect((await runMain(['miner', 'start', '--json'], { compose: createFakePorts(fake, overrides) })).code).toBe(0)
  })

  it.each([
    ['--memory', '8'],
    ['--memory', '0GB'],
    ['--memory', '8 bananas'],
    ['--device-slots', 'tpu=1'],
    ['--device-slots', 'cpu=65'],
    ['--metrics-listen', 'here'],
  ])('refuses %s %s', async (...flag) => {
    const { code, stderr } = await runMain(['miner', 'start', ...flag], { compose: createFakePorts(createFakeChain()) })
    expect([code, stderr]).toEqual([2, expect.stringContaining('CUCKOO_CLI_VALUE_INVALID')])
  })

  it('listens on loopback unless an address is named', () => {
    expect(['9464', '0.0.0.0:1', '[::1]:2'].map(parseListen)).toEqual([
      { host: '127.0.0.1', port: 9464 },
      { host: '0.0.0.0', port: 1 },
      { host: '::1', port: 2 },
    ])
  })

  it('has options that can be written down again', () => {
    const options = z.object(minerOptions)
    const typed = { slots: '3', memory: '1.5GB', minPrice: '0.25', grace: '1h30m', model: ['a/b', 'c/d:q8'], block: [owner], allowPrivate: true, device: 'cpu' }
    const flags = toFlags(options, options.parse(typed))
    expect(flags.join(' ')).toMatchInlineSnapshot(
      `"--model a/b --model c/d:q8 --device cpu --slots 3 --memory 1500MB --block 0x1111111111111111111111111111111111111111 --min-price 0.25 --allow-private --grace 5400s"`,
    )
    expect(toFlags(options, options.parse({}))).toEqual([])
  })
})
