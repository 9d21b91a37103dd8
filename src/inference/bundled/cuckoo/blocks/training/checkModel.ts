/**
 * Draws the held-out prompts with the exported files, as a miner draws them, and judges the pictures:
 * `node checkModel.ts [--steps 20] [--guidance 2] [--scheduler ddim] [--seeds 3] [--model FOLDER]`. `--sheet FILE.rgb` draws sheetPrompts.json
 * instead (64 x 64 x 3 bytes each); `--reference reference.json` prints the largest difference of every graph from PyTorch's numbers.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import type { ImageScheduler } from '../../../../../domain/task.ts'
import { createManifest } from '../../../../createManifest.ts'
import { createImageGenerator } from '../../../../diffusion/createImageGenerator.ts'
import { loadGraph } from '../../../../diffusion/loadGraph.ts'
import { checkPicture, type Scene } from './checkPicture.ts'

interface Tensor {
  shape: number[]
  data: number[]
}

const SIZE = 64
const { values: options } = parseArgs({
  options: {
    steps: { type: 'string', default: '20' },
    guidance: { type: 'string', default: '2' },
    scheduler: { type: 'string', default: 'ddim' },
    seeds: { type: 'string', default: '3' },
    model: { type: 'string', default: join(import.meta.dirname, '..') },
    sheet: { type: 'string' },
    reference: { type: 'string' },
  },
})

const home = resolve(options.model)
const readJson = <T>(...path: string[]): T => JSON.parse(readFileSync(join(...path), 'utf8'))

/** Pictures (64 x 64 x 3 bytes) of the prompts, each from a seed of its own. */
async function drawPictures(prompts: string[], seed: number): Promise<Uint8Array[]> {
  const manifest = await createManifest({ model: 'cuckoo/blocks', path: home, refuseHardLinks: false }, { dtype: 'fp32', revision: null })
  const generator = await createImageGenerator({ folder: home, manifest, device: 'cpu' })
  const params = {
    count: 1,
    width: SIZE,
    height: SIZE,
    steps: Number(options.steps),
    guidance: Number(options.guidance),
    scheduler: options.scheduler as ImageScheduler,
  }
  const pictures: Uint8Array[] = []
  for (const [i, prompt] of prompts.entries()) {
    const hooks = { isCancelled: () => false, onStep: () => {}, onFile: () => {} }
    const drawn = await generator.run({ prompt, negativePrompt: '' }, params, BigInt(seed * 1000 + i), hooks)
    const [file] = drawn?.files ?? []
    if (file === undefined) throw new Error('nothing was drawn')
    pictures.push(new Uint8Array(await sharp(file.data).removeAlpha().raw().toBuffer()))
  }
  await generator.dispose()
  return pictures
}

async function judgePrompts(name: string, rows: { prompt: string; scene: Scene }[], seed: number): Promise<void> {
  const started = performance.now()
  const pictures = await drawPictures(
    rows.map(({ prompt }) => prompt),
    seed,
  )
  const milliseconds = ((performance.now() - started) / rows.length).toFixed(0)
  const faults = rows.flatMap(({ prompt, scene }, i) => {
    const { ok, reasons } = checkPicture(pictures[i] as Uint8Array, SIZE, SIZE, scene)
    return ok ? [] : [`${prompt}: ${reasons.join('; ')}`]
  })
  console.log(`${name}, seed ${seed}: ${rows.length - faults.length} of ${rows.length} right, ${milliseconds} ms a picture`)
  for (const fault of faults) console.log('   ', fault)
}

/** Prints the largest difference of each graph's output from PyTorch's, and the largest output. */
async function compareGraphs(path: string): Promise<void> {
  for (const [part, { feeds, output }] of Object.entries(readJson<Record<string, { feeds: Record<string, Tensor>; output: number[] }>>(path))) {
    const graph = await loadGraph(join(home, part, 'model.onnx'), 'cpu')
    const [got] = (await graph.run(feeds)).values()
    const largest = output.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const difference = output.reduce((most, value, i) => Math.max(most, Math.abs(value - (got?.data[i] ?? 0))), 0)
    console.log(`${part}: differs from PyTorch by at most ${difference.toExponential(1)} of ${largest.toFixed(2)}`)
    await graph.release()
  }
}

if (options.reference !== undefined) {
  await compareGraphs(options.reference)
} else if (options.sheet !== undefined) {
  writeFileSync(options.sheet, Buffer.concat(await drawPictures(readJson<string[]>(import.meta.dirname, 'sheetPrompts.json'), 1)))
} else {
  const lists = readJson<Record<string, { prompt: string; scene: Scene }[]>>(import.meta.dirname, 'heldOutPrompts.json')
  for (const [name, rows] of Object.entries(lists)) {
    for (let seed = 0; seed < Number(options.seeds); seed++) await judgePrompts(name, rows, seed)
  }
}
