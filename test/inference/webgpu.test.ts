import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceName, Engine } from '../../src/domain/enginePort.ts'
import type { TextParams } from '../../src/domain/task.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { storyteller } from '../support/models.ts'

/** Debian's chromium ships SwiftShader, a WebGPU adapter without a GPU; it needs libvulkan1. */
const softwareAdapter = '/usr/lib/chromium/vk_swiftshader_icd.json'
const params: TextParams = { maxTokens: 12, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }

let engine: Engine
let directory: string
let reason: string | null
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-webgpu-'))
  // Set before anything loads the Vulkan loader: native code reads the process's own environment.
  if (process.env.VK_DRIVER_FILES === undefined && existsSync(softwareAdapter)) process.env.VK_DRIVER_FILES = softwareAdapter
  process.env.XDG_RUNTIME_DIR ??= directory
  engine = createEngine({ modelsDirectory: directory, offline: true })
  const webGpu = (await engine.listDevices()).find(({ device }) => device === 'webgpu')
  reason = webGpu?.available ? null : `no WebGPU adapter (${webGpu?.detail}); with chromium and libvulkan1 installed SwiftShader serves`
}, 90_000)
afterAll(async () => {
  await engine.dispose()
  rmSync(directory, { recursive: true, force: true })
})

const open = (device: DeviceName) => engine.openModel({ model: storyteller.model, source: storyteller.source, dtype: 'fp32', device })

describe('WebGPU', () => {
  it('gives the same greedy text as the CPU, two models one after the other', async (context) => {
    if (reason !== null) return context.skip(`skipped: ${reason}`)
    const [cpu, first, second] = [await open('cpu'), await open('webgpu'), await open('webgpu')]
    expect(first.device).toBe('webgpu')
    const tokenIds = await cpu.tokenizer.encodeText('Once upon a time')
    const expected = await cpu.generateText({ tokenIds }, params, 0n)
    // Two sessions that ran at once could end the process: the engine must queue them.
    const results = await Promise.all([first, second].map((model) => model.generateText({ tokenIds }, params, 0n)))
    for (const { output } of results) expect(output).toEqual(expected.output)
    await Promise.all([cpu, first, second].map((model) => model.dispose()))
  }, 240_000)

  it('is not what auto takes where it is a software adapter', async (context) => {
    if (reason !== null) return context.skip(`skipped: ${reason}`)
    if (process.env.VK_DRIVER_FILES !== softwareAdapter) return context.skip('skipped: the adapter here is a real one')
    const model = await engine.openModel({ model: storyteller.model, source: storyteller.source, dtype: 'fp32', device: 'auto' })
    expect(model.device).toBe('cpu')
    expect(model.deviceReason).toMatch(/webgpu: multiplies matrices .* times slower than the CPU/)
    await model.dispose()
  })
})
