import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { zManifest } from '../../../../src/api/wire.ts'
import type { Dtype, Manifest } from '../../../../src/domain/manifest.ts'
import { createManifest } from '../../../../src/inference/createManifest.ts'
import { findLayout } from '../../../../src/inference/findLayout.ts'
import { listModelPaths, type ModelFolder } from '../../../../src/inference/modelFolder.ts'
import { type DiffusersModelOptions, toDiffusersModelFiles } from '../../../support/diffusersModel.ts'
import { createTableGraph, table, tableColumns, writeModelFiles } from '../../../support/onnx.ts'

let folder: ModelFolder
beforeEach(() => {
  folder = { model: 'a/b', path: mkdtempSync(join(tmpdir(), 'cuckoo-layout-')), refuseHardLinks: true }
})
afterEach(() => rmSync(folder.path, { recursive: true, force: true }))

type Files = Record<string, Buffer | string | object>
const write = (options: DiffusersModelOptions = {}, files: Files = {}) => writeModelFiles(folder.path, { ...toDiffusersModelFiles(options), ...files })
const create = (dtype: Dtype = 'fp32') => createManifest(folder, { dtype, revision: null })
const traitsOf = async (options: DiffusersModelOptions, files: Files = {}) => {
  write(options, files)
  return (await create()).image as NonNullable<Manifest['image']>
}
const code = (value: string) => expect.objectContaining({ code: value })

describe('diffusers folders', () => {
  it('have a manifest with what a request may ask for', async () => {
    write(
      {},
      { 'README.md': 'not part of it', 'safety_checker/model.onnx': 'not part of it either', 'text_encoder/config.json': { max_position_embeddings: 8 } },
    )
    const manifest = await create()
    expect(manifest).toMatchObject({
      kind: 'image',
      dtype: 'fp32',
      limits: { contextTokens: 8, maxOutputTokens: 0, maxBatch: 10 },
      pooling: null,
      chatTemplate: false,
    })
    expect(manifest.files.map(({ path }) => path)).toEqual([
      'model_index.json',
      'scheduler/scheduler_config.json',
      'text_encoder/config.json',
      'text_encoder/model.onnx',
      'tokenizer/merges.txt',
      'tokenizer/tokenizer_config.json',
      'tokenizer/vocab.json',
      'unet/config.json',
      'unet/model.onnx',
      'vae_decoder/config.json',
      'vae_decoder/model.onnx',
    ])
    expect(manifest.image).toEqual({
      sizeStep: 8,
      maxPixels: 128 * 128,
      maxSteps: 100,
      width: 64,
      height: 64,
      steps: 25,
      guidance: 7.5,
      scheduler: 'ddim',
      schedulers: ['euler', 'euler-ancestral', 'ddim', 'dpm-solver++'],
    })
    expect(zManifest.parse(manifest)).toEqual(manifest)
  })

  it('take their defaults from generation_config.json where it is', async () => {
    const image = await traitsOf({ generation: { num_inference_steps: 12, guidance_scale: 2, width: 96, height: 61 } })
    expect(image).toMatchObject({ steps: 12, guidance: 2, width: 96, height: 64, maxPixels: 4 * 96 * 64 })
    expect((await create()).files.map(({ path }) => path)).toContain('generation_config.json')
  })

  it('allow one size where the graph is fixed to it', async () => {
    expect(await traitsOf({ size: 8, generation: { width: 512 } })).toMatchObject({ sizeStep: 64, maxPixels: 64 * 64, width: 64, height: 64 })
  })

  it('whose graph is fixed to a size that is not square are refused: their own default could not be asked for', async () => {
    write({ size: [12, 8] })
    await expect(create()).rejects.toEqual(
      expect.objectContaining({ code: 'CUCKOO_MODEL_UNSUPPORTED', message: expect.stringContaining('fixed to 8 by 12 latents') as string }),
    )
  })

  it('of distilled models need few steps and no guidance but what the network reads', async () => {
    const lcm = { _class_name: 'LCMScheduler' }
    expect(await traitsOf({ scheduler: lcm })).toMatchObject({ scheduler: 'lcm', schedulers: ['lcm'], steps: 4, guidance: 1 })
    expect(await traitsOf({ scheduler: lcm, readsGuidance: true })).toMatchObject({ steps: 4, guidance: 8.5 })
    const turbo = { _class_name: 'EulerAncestralDiscreteScheduler', timestep_spacing: 'trailing' }
    expect(await traitsOf({ scheduler: turbo })).toMatchObject({ scheduler: 'euler-ancestral', steps: 4, guidance: 1 })
    // trailing times alone are no distillation: models stretched to zero signal have them too
    expect(await traitsOf({ scheduler: { ...turbo, rescale_betas_zero_snr: true } })).toMatchObject({ steps: 25, guidance: 7.5 })
  })

  it('of other schedulers with the same noise are sampled by DPM-Solver++', async () => {
    for (const name of ['PNDMScheduler', 'LMSDiscreteScheduler', 'UniPCMultistepScheduler', 'DPMSolverMultistepScheduler', 'HeunDiscreteScheduler'])
      expect((await traitsOf({ scheduler: { _class_name: name } })).scheduler).toBe('dpm-solver++')
  })

  it('keep each dtype apart; a part without that dtype is used in full precision', async () => {
    write({ dtype: 'float16' })
    const paths = async () => findLayout(await listModelPaths(folder)).listDtypes(await listModelPaths(folder))
    expect(await paths()).toEqual(['fp16'])
    await expect(create()).rejects.toEqual(code('CUCKOO_MODEL_DTYPE_MISSING'))
    rmSync(join(folder.path, 'vae_decoder/model_fp16.onnx'))
    expect(await paths()).toEqual([])
    write()
    expect(await paths()).toEqual(['fp32', 'fp16'])
    const graphs = (await create('fp16')).files.map(({ path }) => path).filter((path) => path.endsWith('.onnx'))
    expect(graphs).toEqual(['text_encoder/model_fp16.onnx', 'unet/model_fp16.onnx', 'vae_decoder/model.onnx'])
  })

  it('name the external data of their graphs', async () => {
    const graph = createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData: 'weights.pb' })
    write({}, { 'text_encoder/model.onnx': graph, 'text_encoder/weights.pb': Buffer.from(table.buffer) })
    expect((await create()).files.map(({ path }) => path)).toContain('text_encoder/weights.pb')
  })

  it.each([
    ['a pipeline of another class', { 'model_index.json': { _class_name: 'StableDiffusionXLPipeline' } }, 'its pipeline is StableDiffusionXLPipeline'],
    ['two text encoders', { 'model_index.json': { _class_name: 'StableDiffusionPipeline', text_encoder_2: [] } }, 'its pipeline is'],
    ['a transformer', { 'model_index.json': { _class_name: 'FluxPipeline', transformer: [] } }, 'its pipeline is FluxPipeline'],
    [
      'flow matching',
      { 'scheduler/scheduler_config.json': { _class_name: 'FlowMatchEulerDiscreteScheduler' } },
      'its scheduler is FlowMatchEulerDiscreteScheduler',
    ],
    [
      'flow matching by an option',
      { 'scheduler/scheduler_config.json': { _class_name: 'UniPCMultistepScheduler', use_flow_sigmas: true } },
      'its scheduler is one of flow matching',
    ],
    ['inpainting', { 'unet/config.json': { in_channels: 9, out_channels: 4 } }, 'draws over another picture'],
    ['sizes as input', { 'unet/config.json': { addition_embed_type: 'text_time' } }, 'needs more than a prompt'],
    ['clipping', { 'scheduler/scheduler_config.json': { _class_name: 'DDIMScheduler', clip_sample: true } }, 'clips samples'],
    [
      'other betas',
      { 'scheduler/scheduler_config.json': { _class_name: 'DDIMScheduler', beta_schedule: 'sigmoid' } },
      "its scheduler's beta_schedule is sigmoid",
    ],
  ])('are refused for %s, saying what is supported', async (_, files, reason) => {
    write({}, files)
    await expect(create()).rejects.toEqual(
      expect.objectContaining({
        code: 'CUCKOO_MODEL_UNSUPPORTED',
        message: expect.stringContaining(reason) as string,
        hint: expect.stringContaining('Stable Diffusion 1.x') as string,
      }),
    )
  })

  it('are refused where files are missing or say what cannot be', async () => {
    write()
    for (const file of ['tokenizer/merges.txt', 'vae_decoder/config.json', 'scheduler/scheduler_config.json']) {
      write()
      rmSync(join(folder.path, file))
      await expect(create(), file).rejects.toEqual(code(file.startsWith('scheduler') ? 'CUCKOO_MODEL_UNSUPPORTED' : 'CUCKOO_MODEL_FILE_MISSING'))
    }
    for (const scheduler of [{ num_train_timesteps: -1 }, { num_train_timesteps: 1e9 }, { num_train_timesteps: 2.5 }, { beta_end: 3 }, { beta_start: '0.1' }]) {
      write({ scheduler })
      await expect(create(), JSON.stringify(scheduler)).rejects.toEqual(code('CUCKOO_MODEL_FILE_INVALID'))
    }
    write({}, { 'unet/model.onnx': createTableGraph({ table, columns: tableColumns, output: 'x' }) })
    await expect(create()).rejects.toEqual(code('CUCKOO_MODEL_FILE_INVALID'))
  })
})
