/**
 * Draws the held-out prompts with the exported files in onnxruntime-node and judges the pictures:
 * `node checkModel.ts [--steps 20] [--guidance 2] [--seeds 3] [--sheet FILE.rgb] [--reference reference.json]`.
 * `--sheet` writes the pictures of sheetPrompts.json instead, 64 x 64 x 3 bytes each; `--reference` prints the largest difference
 * of every graph from PyTorch's numbers.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AutoTokenizer, env } from '@huggingface/transformers'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { checkPicture, type Scene } from './checkPicture.ts'

interface Prompt {
  prompt: string
  scene: Scene
}

interface SchedulerConfig {
  num_train_timesteps: number
  beta_start: number
  beta_end: number
  steps_offset: number
}

const home = join(import.meta.dirname, '..')
const readJson = <T>(...path: string[]): T => JSON.parse(readFileSync(join(...path), 'utf8'))
const { values: options } = parseArgs({
  options: {
    steps: { type: 'string', default: '20' },
    guidance: { type: 'string', default: '2' },
    seeds: { type: 'string', default: '3' },
    sheet: { type: 'string' },
    reference: { type: 'string' },
  },
})
env.localModelPath = home
env.allowRemoteModels = false
const tokenizer = await AutoTokenizer.from_pretrained('tokenizer')
const open = (part: string) => InferenceSession.create(join(home, part, 'model.onnx'), { intraOpNumThreads: 1, interOpNumThreads: 1 })
const [textEncoder, unet, decoder] = await Promise.all(['text_encoder', 'unet', 'vae_decoder'].map(open)) as [InferenceSession, InferenceSession, InferenceSession]
const scheduler = readJson<SchedulerConfig>(home, 'scheduler', 'scheduler_config.json')
const { scaling_factor: scale } = readJson<{ scaling_factor: number }>(home, 'vae_decoder', 'config.json')
const LENGTH = readJson<{ model_max_length: number }>(home, 'tokenizer', 'tokenizer_config.json').model_max_length
const SIZE = 64
const LATENT = 4 * 8 * 8

/** Share of the signal's variance left after each noise step (scaled-linear betas). */
function getSignalShares({ num_train_timesteps: count, beta_start, beta_end }: SchedulerConfig): number[] {
  let share = 1
  return Array.from({ length: count }, (_, i) => {
    const root = Math.sqrt(beta_start) + ((Math.sqrt(beta_end) - Math.sqrt(beta_start)) * i) / (count - 1)
    share *= 1 - root * root
    return share
  })
}

const shares = getSignalShares(scheduler)

/** Standard normal numbers from a 32-bit seed (mulberry32 and Box-Muller). */
function drawNoise(seed: number, count: number): Float32Array {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()))
}

async function run(session: InferenceSession, feeds: Record<string, Tensor>): Promise<Tensor> {
  const outputs = await session.run(feeds)
  return outputs[session.outputNames[0] ?? ''] as Tensor
}

async function encode(prompts: string[]): Promise<Tensor> {
  const { input_ids } = tokenizer(prompts, { padding: 'max_length', max_length: LENGTH, truncation: true }) as { input_ids: { data: BigInt64Array } }
  return run(textEncoder, { input_ids: new Tensor('int64', input_ids.data, [prompts.length, LENGTH]) })
}

/** Pictures (64 x 64 x 3 bytes) of the prompts by DDIM with "leading" steps. */
async function draw(prompts: string[], seed: number, steps: number, guidance: number): Promise<Uint8Array[]> {
  const count = prompts.length
  const states = await encode([...prompts.map(() => ''), ...prompts])
  let latents = Float32Array.from({ length: count * LATENT })
  for (let i = 0; i < count; i++) latents.set(drawNoise(seed * 100003 + i, LATENT), i * LATENT)
  const stride = Math.floor(scheduler.num_train_timesteps / steps)
  for (let step = steps - 1; step >= 0; step--) {
    const at = step * stride + scheduler.steps_offset
    const twice = new Float32Array(2 * latents.length)
    twice.set(latents)
    twice.set(latents, latents.length)
    const told = await run(unet, {
      sample: new Tensor('float32', twice, [2 * count, 4, 8, 8]),
      timestep: new Tensor('int64', BigInt64Array.of(BigInt(at)), [1]),
      encoder_hidden_states: states,
    })
    const noise = told.data as Float32Array
    const share = shares[at] ?? 1
    const after = shares[Math.max(0, at - stride)] ?? 1
    latents = latents.map((value, i) => {
      const free = noise[i] ?? 0
      const guided = free + guidance * ((noise[i + latents.length] ?? 0) - free)
      const clean = (value - Math.sqrt(1 - share) * guided) / Math.sqrt(share)
      return Math.sqrt(after) * clean + Math.sqrt(1 - after) * guided
    })
  }
  const drawn = await run(decoder, { latent_sample: new Tensor('float32', latents.map((value) => value / scale), [count, 4, 8, 8]) })
  const planes = drawn.data as Float32Array
  const area = SIZE * SIZE
  return prompts.map((_, i) =>
    Uint8Array.from({ length: 3 * area }, (_, at) => {
      const value = planes[(3 * i + (at % 3)) * area + Math.floor(at / 3)] ?? 0
      return Math.round(Math.min(1, Math.max(0, (value + 1) / 2)) * 255)
    }),
  )
}

async function drawAll(prompts: string[], seed: number): Promise<Uint8Array[]> {
  const pictures: Uint8Array[] = []
  for (let i = 0; i < prompts.length; i += 20) {
    pictures.push(...(await draw(prompts.slice(i, i + 20), seed * 1000 + i, Number(options.steps), Number(options.guidance))))
  }
  return pictures
}

/** Largest difference of each graph's output from PyTorch's. */
async function compareGraphs(path: string): Promise<Record<string, number>> {
  const reference = readJson<Record<string, { feeds: Record<string, { dims: number[]; data: number[] }>; output: number[] }>>(path)
  const differences: Record<string, number> = {}
  for (const [part, session] of Object.entries({ text_encoder: textEncoder, unet, vae_decoder: decoder })) {
    const { feeds = {}, output = [] } = reference[part] ?? {}
    const tensors = Object.entries(feeds).map(([name, { dims, data }]) =>
      name === 'input_ids' || name === 'timestep'
        ? [name, new Tensor('int64', BigInt64Array.from(data.map(BigInt)), dims)]
        : [name, new Tensor('float32', Float32Array.from(data), dims)],
    )
    const got = (await run(session, Object.fromEntries(tensors))).data as Float32Array
    differences[part] = output.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (got[i] ?? 0))), 0)
  }
  return differences
}

if (options.reference !== undefined) {
  console.log('largest differences from PyTorch', await compareGraphs(options.reference))
} else if (options.sheet !== undefined) {
  const pictures = await drawAll(readJson<string[]>(import.meta.dirname, 'sheetPrompts.json'), 1)
  writeFileSync(options.sheet, Buffer.concat(pictures))
} else {
  for (const [name, prompts] of Object.entries(readJson<Record<string, Prompt[]>>(import.meta.dirname, 'heldOutPrompts.json'))) {
    for (let seed = 0; seed < Number(options.seeds); seed++) {
      const started = performance.now()
      const pictures = await drawAll(prompts.map(({ prompt }) => prompt), seed)
      const milliseconds = ((performance.now() - started) / prompts.length).toFixed(0)
      const faults = prompts.flatMap(({ prompt, scene }, i) => {
        const { ok, reasons } = checkPicture(pictures[i] ?? new Uint8Array(), SIZE, SIZE, scene)
        return ok ? [] : [`${prompt} => ${reasons.join('; ')}`]
      })
      console.log(`${name}, seed ${seed}: ${prompts.length - faults.length} of ${prompts.length} right, ${milliseconds} ms a picture`)
      for (const fault of faults) console.log('   ', fault)
    }
  }
}
