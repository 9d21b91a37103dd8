import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from 'fast-png'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceName, Engine, ImageRun, OpenModel } from '../../src/domain/enginePort.ts'
import type { Dtype } from '../../src/domain/manifest.ts'
import type { MediaFile } from '../../src/domain/media.ts'
import { type ImageParams, type ImageScheduler, imageSchedulers } from '../../src/domain/task.ts'
import { carriedLimits } from '../../src/domain/taskKinds.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { colours, type DiffusersModelOptions, grain, toDiffusersModelFiles } from '../support/diffusersModel.ts'
import { writeModelFiles } from '../support/onnx.ts'

/** Debian's chromium ships SwiftShader, a WebGPU adapter without a GPU; it needs libvulkan1. */
const softwareAdapter = '/usr/lib/chromium/vk_swiftshader_icd.json'

let engine: Engine
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-images-'))
  // Set before anything loads the Vulkan loader: native code reads the process's own environment.
  if (process.env.VK_DRIVER_FILES === undefined && existsSync(softwareAdapter)) process.env.VK_DRIVER_FILES = softwareAdapter
  process.env.XDG_RUNTIME_DIR ??= directory
  engine = createEngine({ modelsDirectory: directory, offline: true })
})
afterAll(async () => {
  await engine.dispose()
  rmSync(directory, { recursive: true, force: true })
})

let models = 0
async function open(options: DiffusersModelOptions = {}, { device = 'cpu', dtype = 'fp32' }: { device?: DeviceName; dtype?: Dtype } = {}): Promise<OpenModel> {
  const model = `test/model${++models}`
  writeModelFiles(join(directory, model), toDiffusersModelFiles(options))
  return engine.openModel({ model, source: { from: 'folder', directory }, dtype, device })
}

const params: ImageParams = { count: 1, width: 64, height: 64, steps: 10, guidance: 1, scheduler: 'ddim' }
const draw = (model: OpenModel, prompt: string, over: Partial<ImageParams> = {}, seed = 42n, negativePrompt = '') =>
  model.generateImages({ prompt, negativePrompt }, { ...params, ...over }, seed)

/** Mean and standard deviation of each channel, −1 to 1. */
function measure({ files }: ImageRun, index = 0): { mean: number[]; deviation: number[] } {
  const { data, width, height } = decode(files[index]?.data as Uint8Array)
  const channels = [0, 1, 2].map((channel) => Array.from({ length: width * height }, (_, at) => (data[at * 3 + channel] as number) / 127.5 - 1))
  const mean = channels.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length)
  const deviation = channels.map((values, channel) =>
    Math.sqrt(values.reduce((sum, value) => sum + (value - (mean[channel] as number)) ** 2, 0) / values.length),
  )
  return { mean, deviation }
}

function expectColour(run: ImageRun, expected: readonly number[], within = 0.05): void {
  for (const [channel, value] of measure(run).mean.entries()) expect(Math.abs(value - (expected[channel] as number)), `channel ${channel}`).toBeLessThan(within)
}

describe('images', () => {
  it('show what the prompt says, with the grain of the model, and tell how far they are', async () => {
    const model = await open()
    const steps: [number, number][] = []
    // The last step, from σ = 0.041, ends at the mean of what is likely: of a grain of s = 0.05 latents s / √(s² + σ²) = 0.77 are left.
    const many: ImageParams = { ...params, scheduler: 'euler', steps: 50 }
    const run = await model.generateImages({ prompt: 'Red', negativePrompt: '' }, many, 42n, { onStep: (done, of) => steps.push([done, of]) })
    expectColour(run, colours.red as number[])
    for (const deviation of measure(run).deviation) expect(Math.abs(deviation / grain / 0.77 - 1)).toBeLessThan(0.25)
    expect(steps[0]).toEqual([1, 50])
    expect(steps).toEqual(steps.toSorted(([a], [b]) => a - b))
    expect(run.output.images).toEqual(run.files.map(({ media }) => media))
    expect(run.output.images[0]).toMatchObject({ type: 'image/png', width: 64, height: 64 })
    await model.dispose()
  })

  it('are told as they are made where they are large', async () => {
    const model = await open()
    // A PNG tells its prompt twice.
    for (const [words, count] of [
      [1, 0],
      [8_000, 2],
    ] as const) {
      const told: string[] = []
      const onFile = ({ media }: MediaFile) => told.push(media.sha256)
      const { output } = await model.generateImages({ prompt: 'blue '.repeat(words), negativePrompt: '' }, { ...params, count: 2 }, 42n, { onFile })
      const large = output.images.filter(({ bytes }) => bytes > carriedLimits.maxMediaBytes)
      expect(large).toHaveLength(count)
      expect(told).toEqual(large.map(({ sha256 }) => sha256))
    }
    await model.dispose()
  })

  it('are the same for the same seed, and image i is the same whatever the count', async () => {
    const model = await open()
    const run = await draw(model, 'blue', { count: 3, steps: 2 })
    const three = run.output.images.map(({ sha256 }) => sha256)
    expect(new Set(three).size).toBe(3)
    const again = (await draw(model, 'blue', { count: 2, steps: 2 })).output.images.map(({ sha256 }) => sha256)
    expect(again).toEqual(three.slice(0, 2))
    expect((await draw(model, 'blue', { steps: 2 }, 43n)).output.images[0]?.sha256).not.toBe(three[0])
    await model.dispose()
  })

  it.each(imageSchedulers)('come out of %s', async (scheduler: ImageScheduler) => {
    const model = await open(scheduler === 'lcm' ? { scheduler: { _class_name: 'LCMScheduler' } } : {})
    expectColour(await draw(model, 'green', { scheduler }), colours.green as number[])
    await model.dispose()
  })

  it('go beyond the prompt with guidance, away from the negative prompt', async () => {
    const model = await open()
    const [red, blue] = [colours.red, colours.blue] as [number[], number[]]
    // Without a negative prompt the other colour is grey, 0.
    expectColour(
      await draw(model, 'red', { guidance: 1.5 }),
      red.map((value) => 1.5 * value),
    )
    expectColour(
      await draw(model, 'red', { guidance: 1.4 }, 42n, 'blue'),
      red.map((value, channel) => (blue[channel] as number) + 1.4 * (value - (blue[channel] as number))).map((value) => Math.min(1, Math.max(-1, value))),
    )
    await model.dispose()
  })

  it.each([0, 0.5])('are those without guidance at guidance %s', async (guidance) => {
    const model = await open()
    const [none, found] = [await draw(model, 'blue', { steps: 3 }), await draw(model, 'blue', { steps: 3, guidance }, 42n, 'red')]
    expect(decode(found.files[0]?.data as Uint8Array).data).toEqual(decode(none.files[0]?.data as Uint8Array).data)
    await model.dispose()
  })

  it('have other sizes where the graph takes them', async () => {
    const model = await open()
    const run = await draw(model, 'white', { width: 96, height: 32, steps: 3 })
    expect(decode(run.files[0]?.data as Uint8Array)).toMatchObject({ width: 96, height: 32 })
    expectColour(run, colours.white as number[])
    await model.dispose()
  })

  it.each<[string, DiffusersModelOptions]>([
    ['int32 tokens, a float time of no dimension', { tokenType: 'int32', timestepType: 'float', timestepShape: [] }],
    ['a time per sample', { timestepShape: [1], batch: 1 }],
    ['a batch fixed to one', { batch: 1 }],
    ['a batch fixed to two', { batch: 2 }],
    ['one size', { size: 8 }],
  ])('are the same from a graph with %s', async (_, options) => {
    const [plain, other] = [await open(), await open(options)]
    for (const guidance of [1, 1.5]) {
      const [expected, found] = [await draw(plain, 'blue', { guidance }), await draw(other, 'blue', { guidance })]
      expect(decode(found.files[0]?.data as Uint8Array).data).toEqual(decode(expected.files[0]?.data as Uint8Array).data)
    }
    await Promise.all([plain.dispose(), other.dispose()])
  })

  it('leave the guidance to a network that reads it', async () => {
    const model = await open({ readsGuidance: true, scheduler: { _class_name: 'LCMScheduler' } })
    expectColour(await draw(model, 'red', { guidance: 8.5, scheduler: 'lcm', steps: 4 }), colours.red as number[])
    await model.dispose()
  })

  it('come from half-precision graphs', async () => {
    const model = await open({ dtype: 'float16' }, { dtype: 'fp16' })
    expectColour(await draw(model, 'red'), colours.red as number[])
    await model.dispose()
  })

  it('end with a coded error where numbers overflow', async () => {
    const model = await open({ overflows: true })
    await expect(draw(model, 'red')).rejects.toMatchObject({ code: 'CUCKOO_INFERENCE_NOT_FINITE', message: expect.stringContaining('unet') as string })
    await model.dispose()
  })

  it('stop between two steps when aborted', async () => {
    const model = await open()
    const controller = new AbortController()
    const told: number[] = []
    const onStep = (done: number) => {
      told.push(done)
      controller.abort(new Error('enough'))
    }
    const long = { ...params, count: 10, steps: 100 }
    await expect(model.generateImages({ prompt: 'red', negativePrompt: '' }, long, 1n, { signal: controller.signal, onStep })).rejects.toThrow('enough')
    expect(told).toEqual([1])
    // and the model goes on
    expectColour(await draw(model, 'red'), colours.red as number[])
    await model.dispose()
  })

  it('are refused beyond what the manifest allows', async () => {
    const model = await open()
    const bad: [Partial<ImageParams>, string][] = [
      [{ count: 0 }, '1 to 10 images'],
      [{ count: 11 }, '1 to 10 images'],
      [{ width: 60 }, 'multiples of 8'],
      [{ height: 0 }, 'multiples of 8'],
      [{ width: 1_024, height: 1_024 }, 'pixels'],
      [{ steps: 101 }, '1 to 100 steps'],
      [{ steps: 1.5 }, '1 to 100 steps'],
      [{ guidance: Number.NaN }, 'guidance'],
      [{ guidance: -0.1 }, 'guidance'],
      [{ guidance: 31 }, 'guidance'],
      [{ scheduler: 'lcm' }, 'its schedulers are'],
    ]
    for (const [over, problem] of bad)
      await expect(draw(model, 'red', over), JSON.stringify(over)).rejects.toMatchObject({
        code: 'CUCKOO_INFERENCE_INPUT_INVALID',
        message: expect.stringContaining(problem) as string,
      })
    await expect(model.embed({ tokenIds: [[1]] }, { normalize: true })).rejects.toMatchObject({ code: 'CUCKOO_INFERENCE_KIND_WRONG' })
    await model.dispose()
  })

  it('are the same colours on WebGPU', async (context) => {
    const webGpu = (await engine.listDevices()).find(({ device }) => device === 'webgpu')
    if (!webGpu?.available) return context.skip(`skipped: no WebGPU adapter (${webGpu?.detail}); with chromium and libvulkan1 installed SwiftShader serves`)
    const [cpu, gpu] = [await open(), await open({}, { device: 'webgpu' })]
    const [expected, found] = [await draw(cpu, 'red', { guidance: 1.5 }), await draw(gpu, 'red', { guidance: 1.5 })]
    const [a, b] = [expected, found].map(({ files }) => decode(files[0]?.data as Uint8Array).data) as [Uint8Array, Uint8Array]
    expect(Math.max(...a.map((value, index) => Math.abs(value - (b[index] as number))))).toBeLessThanOrEqual(1)
    await Promise.all([cpu.dispose(), gpu.dispose()])
  }, 240_000)
})
