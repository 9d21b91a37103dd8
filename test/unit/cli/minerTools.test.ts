import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { checkMemory, checkNode } from '../../../src/cli/doctor/machineChecks.ts'
import { checkClock } from '../../../src/cli/doctor/networkChecks.ts'
import type { Ports } from '../../../src/cli/ports.ts'
import { type Accelerator, suggestDtype } from '../../../src/cli/suggestModels.ts'
import type { DeviceInfo, Engine } from '../../../src/domain/enginePort.ts'
import type { BenchReport, EngineTools } from '../../../src/domain/engineTools.ts'
import { accountMissing } from '../../../src/errors/account.ts'
import { coordinatorUnreachable } from '../../../src/errors/api.ts'
import { networkMissing } from '../../../src/errors/config.ts'
import { modelUnsupported } from '../../../src/errors/inference.ts'
import { installCuda, planCuda } from '../../../src/inference/cuda/cudaLibraries.ts'
import { suggestions } from '../../../src/inference/suggestions.ts'
import { chainTime, createFakeChain, createFakePorts, createNode, otherNode, owner, runMain } from '../../support/cli.ts'
import { createZip, type PackageFeed, startPackageFeed } from '../../support/packageFeed.ts'
import { runJson, runText } from '../../support/runCli.ts'

const devices: DeviceInfo[] = [
  { device: 'cpu', available: true, detail: '8 cores' },
  { device: 'webgpu', available: true, detail: 'multiplies matrices 9.0 times as fast as the CPU' },
  { device: 'cuda', available: false, detail: 'its provider library is not installed' },
  { device: 'dml', available: false, detail: 'DirectML is a part of Windows, this is linux x64' },
]
const engine = {
  listDevices: async () => devices,
  listBundledModels: async () => [{ model: 'cuckoo/storyteller', kind: 'text', dtypes: ['fp32', 'q8'], bytes: 8_300_000 }],
} as unknown as Engine
const tools = (more: Partial<EngineTools> = {}) => ({
  getDeviceFix: (device: string) => `Do something about ${device}.`,
  listSuggestions: () => suggestions,
  ...more,
})
const overrides = (more: Partial<Ports> = {}): Partial<Ports> => ({
  getEngine: async () => engine,
  getEngineTools: async () => tools() as EngineTools,
  getModelCache: async () => ({ list: async () => [] }) as never,
  ...more,
})
const answering = (offsetSeconds = 0) =>
  (async () => ({ call: async () => ({ headers: { date: new Date((chainTime + offsetSeconds) * 1_000).toUTCString() } }) })) as unknown as Ports['createClient']
/** A chain on which the account in use runs a miner, beside one coordinator. */
const createMinerChain = (miner: Parameters<typeof createNode>[1] = {}) => {
  const fake = createFakeChain({}, { findOperator: async () => ({ node: otherNode, validUntil: 2n ** 63n }) })
  const coordinator = createNode(owner, { role: 'coordinator', profile: { name: 'Bea', url: 'https://bea.example', description: '' } })
  fake.nodes.set(otherNode, createNode(otherNode, { operator: owner, ...miner }))
  fake.nodes.set(owner, coordinator)
  return fake
}
type Checks = { name: string; state: string; detail: string; fix: string | null }[]
const runDoctor = async (fake: ReturnType<typeof createFakeChain>, more: Partial<Ports> = {}, argv: string[] = []) => {
  const run = await runMain(['miner', 'doctor', ...argv, '--json'], { compose: createFakePorts(fake, overrides({ createClient: answering(), ...more })) })
  const { checks } = JSON.parse(run.stdout) as { checks: Checks }
  return { ...run, checks, states: Object.fromEntries(checks.map(({ name, state }) => [name, state])) }
}

describe('miner doctor', () => {
  it('finds all in order', async () => {
    const { checks } = await runJson(createMinerChain(), ['miner', 'doctor'], overrides({ createClient: answering() }))
    expect((checks as Checks).filter(({ state }) => state === 'fail')).toEqual([])
    expect((checks as Checks).map(({ name }) => name)).toEqual([
      ...['node', 'memory', 'disk', 'offline files', 'ports', 'device cpu', 'device webgpu', 'device cuda', 'device dml'],
      ...['chain', 'key', 'registration', 'bond', 'coordinators', 'clock'],
    ])
    expect((checks as Checks).find(({ name }) => name === 'ports')?.detail).toMatch(/^No inbound port is needed/)
  })

  it('shows each check on its line and the fix below', async () => {
    const text = await runText(createMinerChain({ active: false, bondWei: 1n }), ['miner', 'doctor'], { overrides: overrides({ createClient: answering() }) })
    expect(text).toMatch(/^ok {4}device cpu {5}8 cores$/m)
    expect(text).toMatch(/^FAIL {2}bond/m)
    expect(text).toContain('cuckoo bond <amount>')
    expect(text).toMatch(/CUCKOO_DOCTOR_CHECK_FAILED[\s\S]*exit 78$/)
  })

  it('of a named device that is not there is a failure with the next step', async () => {
    const { code, stderr, states } = await runDoctor(createMinerChain(), {}, ['--device', 'cuda'])
    expect(states['device cuda']).toBe('fail')
    expect(code).toBe(78)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CUCKOO_DEVICE_UNAVAILABLE', hint: 'Do something about cuda.' } })
  })

  it('works without a network', async () => {
    const getChain = async () => {
      throw networkMissing({})
    }
    const { code, states } = await runDoctor(createMinerChain(), { getChain })
    expect(states).toMatchObject({ chain: 'fail', key: 'ok', registration: 'skipped', bond: 'skipped', coordinators: 'skipped', clock: 'skipped' })
    expect(code).toBe(78)
  })

  it('works without an account', async () => {
    const getOwn = async () => {
      throw accountMissing({})
    }
    const { states } = await runDoctor(createMinerChain(), { getOwn })
    expect(states).toMatchObject({ chain: 'ok', key: 'fail', registration: 'skipped', bond: 'skipped', coordinators: 'ok' })
  })

  it('names a key that runs no miner', async () => {
    const { code, states, stderr } = await runDoctor(createFakeChain())
    expect(states).toMatchObject({ registration: 'fail', bond: 'skipped' })
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CUCKOO_OPERATOR_NOT_REGISTERED' } })
    expect(code).toBe(10)
  })

  it('warns of coordinators that do not answer, and fails when none does', async () => {
    const down = (async () => ({
      call: async () => {
        throw coordinatorUnreachable({ url: 'https://bea.example', reason: 'ECONNREFUSED' })
      },
    })) as unknown as Ports['createClient']
    const { code, states, stderr } = await runDoctor(createMinerChain(), { createClient: down })
    expect(states.coordinators).toBe('fail')
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CUCKOO_DOCTOR_COORDINATORS_UNREACHABLE', kind: 'unavailable' } })
    expect(code).toBe(75)
    const fake = createMinerChain()
    fake.nodes.set('0x44', createNode('0x44', { role: 'coordinator', profile: { name: 'Cy', url: 'https://cy.example', description: '' } }))
    const some: Ports['createClient'] = (options) => (options.url === 'https://cy.example' ? down(options) : answering()(options))
    expect((await runDoctor(fake, { createClient: some })).states.coordinators).toBe('warn')
  })

  it('fails for a clock that coordinators would refuse', async () => {
    const { checks } = await runDoctor(createMinerChain(), { createClient: answering(600) })
    expect(checks.find(({ name }) => name === 'clock')).toMatchObject({ state: 'fail', detail: "it is 600 s behind the coordinators', which bear 60" })
    expect(checkClock({ network: 'cuckoo', chainOffset: 90, coordinatorOffsets: [] }).state).toBe('fail')
    expect(checkClock({ network: 'cuckoo', chainOffset: -600, coordinatorOffsets: [1, -2, 2] }).state).toBe('ok')
    expect(checkClock({ network: 'devnet', chainOffset: 9_000, coordinatorOffsets: [0] }).state).toBe('ok')
  })

  it('judges Node and memory', () => {
    expect(['20.19.0', '22.18.0', '22.19.0', '24.0.0'].map((version) => checkNode(version).state)).toEqual(['fail', 'fail', 'ok', 'ok'])
    expect([1e8, 2e9, 3e10].map((bytes) => checkMemory(bytes).state)).toEqual(['fail', 'warn', 'ok'])
  })
})

describe('miner bench', () => {
  const report = {
    kind: 'text',
    dtype: 'fp32',
    device: 'cpu',
    deviceReason: 'as asked',
    task: '64 tokens after 4',
    unit: 'token',
    engine: { msPerTask: 50, perSecond: 1_280 },
    bare: { msPerTask: 48, perSecond: 1_333.3 },
    addedMs: 2,
    waitingPerSecond: null,
    eventLoopLagMs: { p50: 1, p99: 4 },
    rounds: 5,
  } as const satisfies Omit<BenchReport, 'model'>
  const measure = (reports: Partial<BenchReport> = {}): Partial<Ports> =>
    overrides({ getEngineTools: async () => tools({ benchModel: async ({ model }) => ({ model, ...report, ...reports }) }) as EngineTools })

  it('shows the engine beside the bare runtime', async () => {
    const text = await runText(createFakeChain(), ['miner', 'bench', '--device', 'cpu'], { overrides: measure() })
    expect(text).toMatchInlineSnapshot(`
      "model               dtype  device  engine  bare              adds
      cuckoo/storyteller  fp32   cpu       1280  1333  tokens/s  2.0 ms
      cuckoo/storyteller on cpu: 64 tokens after 4; event-loop lag p99 4.0 ms
      exit 0"
    `)
    expect(await runJson(createFakeChain(), ['miner', 'bench'], measure())).toMatchObject({
      reports: [{ model: 'cuckoo/storyteller', addedMs: 2 }],
      skipped: [],
    })
  })

  it('counts embeddings in milliseconds, and images by the minute', async () => {
    const run = (reports: Partial<BenchReport>) => runText(createFakeChain(), ['miner', 'bench'], { overrides: measure(reports) })
    expect(await run({ kind: 'embedding', unit: 'text', waitingPerSecond: 900 })).toMatch(
      /50\.00 +48\.00 +ms\/embedding[\s\S]*16\s+waiting tasks: 900 texts\/s/,
    )
    expect(await run({ kind: 'image', unit: 'image', engine: { msPerTask: 500, perSecond: 2 } })).toMatch(/120\.0 .*images\/min/)
  })

  it('leaves out a bundled model that cannot be measured, and fails for one that was named', async () => {
    const unsupported = overrides({
      getEngineTools: async () =>
        tools({
          benchModel: async ({ model }) => {
            throw modelUnsupported({ model, reason: 'no task' })
          },
        }) as EngineTools,
    })
    expect(await runJson(createFakeChain(), ['miner', 'bench'], unsupported)).toMatchObject({ reports: [], skipped: [{ model: 'cuckoo/storyteller' }] })
    expect(await runText(createFakeChain(), ['miner', 'bench', '--model', 'cuckoo/storyteller'], { overrides: unsupported })).toMatch(
      /CUCKOO_MODEL_UNSUPPORTED[\s\S]*exit 2/,
    )
  })
})

describe('miner setup', () => {
  let feed: PackageFeed | null = null
  afterEach(async () => feed?.close())
  const native = 'runtimes/linux-x64/native'
  const onLinux = (directory: string): Partial<Ports> =>
    overrides({
      getEngineTools: async () =>
        tools({ planCuda: (source) => planCuda({ ...source, directory, platform: 'linux', arch: 'x64' }), installCuda }) as EngineTools,
    })

  it('shows what it would fetch, fetches it, and has nothing to do then', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cuckoo-setup-'))
    const libraries = ['libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so']
    feed = await startPackageFeed(createZip(Object.fromEntries(libraries.map((name) => [`${native}/${name}`, Buffer.alloc(5_000_000, name)]))))
    const argv = ['miner', 'setup', '--cuda', '--feed', feed.url]
    expect(await runJson(createFakeChain(), [...argv, '--dry-run'], onLinux(directory))).toMatchObject({ installed: false, bytes: feed.content.length })
    expect(feed.downloads).toEqual([])
    const text = await runText(createFakeChain(), argv, { overrides: onLinux(directory) })
    expect(text).toMatch(/to fetch from http/)
    expect(text).toMatch(/cuDNN 9[\s\S]*miner doctor --device cuda/)
    expect(readdirSync(directory).sort()).toEqual(libraries)
    expect(await runJson(createFakeChain(), argv, onLinux(directory))).toMatchObject({ installed: true, files: [{ present: true }, { present: true }] })
    rmSync(directory, { recursive: true, force: true })
  })

  it('says what there is to set up, and elsewhere names webgpu', async () => {
    expect(await runText(createFakeChain(), ['miner', 'setup'], { overrides: overrides() })).toMatch(/CUCKOO_SETUP_NOTHING_NAMED[\s\S]*exit 2/)
    const onMac = overrides({ getEngineTools: async () => tools({ planCuda: () => planCuda({ platform: 'darwin', arch: 'arm64' }) }) as EngineTools })
    expect(await runText(createFakeChain(), ['miner', 'setup', '--cuda'], { overrides: onMac })).toMatch(
      /CUCKOO_DEVICE_UNAVAILABLE[\s\S]*--device webgpu[\s\S]*exit 78/,
    )
  })
})

describe('miner models', () => {
  it('lists what is here, and with --suggest what fits and why nothing is known of prices', async () => {
    expect(await runJson(createFakeChain(), ['miner', 'models'], overrides())).toMatchObject({ models: [{ model: 'cuckoo/storyteller', from: 'bundled' }] })
    const suggested = await runJson(createFakeChain(), ['miner', 'models', '--suggest'], overrides())
    expect((suggested['models'] as unknown[]).length).toBe(1 + suggestions.length)
    expect(suggested).toMatchObject({
      machine: { devices: ['cpu', 'webgpu'] },
      coordinator: null,
      askedProblem: expect.stringContaining('No coordinator is named'),
    })
  })

  it('shows what a coordinator serves at what price', async () => {
    const listModels = async () => ({ data: [{ id: 'a/b', cuckoo: { kind: 'text', dtype: 'fp32', miners: 3, unitPriceWei: 5n * 10n ** 15n } }] })
    const withKey = overrides({ createClient: (async () => ({ listModels })) as never })
    const { stdout } = await runMain(['miner', 'models', '--suggest', '--coordinator', 'https://bea.example'], {
      env: { CUCKOO_API_KEY: 'key' },
      compose: createFakePorts(createFakeChain(), withKey),
    })
    expect(stdout).toMatch(/a\/b +text +fp32 +3 +0\.005 CAI/)
  })

  it('takes the first dtype that fits, else the smallest with what is short', () => {
    const model = { model: 'a/b', kind: 'text', note: '', millionParameters: 1_000, dtypes: ['fp32', 'fp16', 'q8', 'q4f16'] } as const
    const on = (memoryBytes: number, accelerator: Accelerator = 'cpu', diskBytes = 1e12) => {
      const { dtype, problem } = suggestDtype(model, { accelerator, memoryBytes, diskBytes })
      return [dtype, problem]
    }
    expect(on(1e10)).toEqual(['fp32', null])
    expect(on(2e9)).toEqual(['q8', null])
    expect(on(1e10, 'halfGpu')).toEqual(['fp16', null])
    expect(on(5e9, 'gpu')).toEqual(['q8', null])
    expect(on(5e8)).toEqual(['q8', 'memory'])
    expect(on(1e10, 'cpu', 5e8)).toEqual(['q8', 'disk'])
  })

  it('suggests from a catalogue of one row each, of kinds that exist', () => {
    expect(new Set(suggestions.map(({ model }) => model)).size).toBe(suggestions.length)
    for (const { model, millionParameters, dtypes } of suggestions) {
      expect(model).toMatch(/^[\w.-]+\/[\w.-]+$/)
      expect(millionParameters).toBeGreaterThan(0)
      expect(dtypes.length).toBeGreaterThan(0)
    }
  })
})
