import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Manifest, toManifestDigest } from '../../../src/domain/manifest.ts'
import { createAllowedModels } from '../../../src/inference/allowedModels.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-allowed-'))
  file = join(directory, 'miner', 'allowed-manifests.json')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const toManifest = (model: string, changes: Partial<Manifest> = {}): Manifest => ({
  version: 1,
  model,
  revision: 'c0ffee'.padEnd(40, '0'),
  kind: 'text',
  dtype: 'fp32',
  files: [],
  limits: { contextTokens: 16, maxOutputTokens: 16, maxBatch: 1 },
  chatTemplate: false,
  eosTokenIds: [],
  pooling: null,
  proof: 'none',
  ...changes,
})
const list = () => (JSON.parse(readFileSync(file, 'utf8')).allowed as { manifest: string }[]).map(({ manifest }) => manifest).sort()
const toDigests = (manifests: readonly Manifest[]) => manifests.map(toManifestDigest).sort()

describe('the list of allowed models', () => {
  it('loses nothing to processes that write it at the same time', { timeout: 30_000 }, async () => {
    const script = fileURLToPath(new URL('./fixtures/allow.ts', import.meta.url))
    const batches = ['a', 'b', 'c'].map((owner) => Array.from({ length: 30 }, (_, index) => toManifest(`${owner}/m${index}`)))
    const ends = batches.map((batch) => {
      const child = spawn(process.execPath, [script, file, JSON.stringify(batch)], { stdio: ['ignore', 'ignore', 'inherit'] })
      return new Promise<number | null>((resolve) => child.once('exit', resolve))
    })
    expect(await Promise.all(ends)).toEqual([0, 0, 0])
    expect(list()).toEqual(toDigests(batches.flat()))
    expect(readdirSync(join(directory, 'miner')).sort()).toEqual(['allowed-manifests.json', 'allowed-manifests.json.lock'])
  })

  it('loses nothing to calls at the same time, and takes one of two that are each a first use', async () => {
    const models = Array.from({ length: 8 }, (_, index) => toManifest(`a/m${index}`))
    await Promise.all(models.map((manifest) => createAllowedModels(file).assertAllowed(manifest, null)))
    expect(list()).toEqual(toDigests(models))
    const rivals = [0, 1, 2].map((id) => toManifest('b/m', { eosTokenIds: [id] }))
    const answers = await Promise.allSettled(rivals.map((manifest) => createAllowedModels(file).assertAllowed(manifest, null)))
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
    expect(refused).toMatchObject([{ code: 'CUCKOO_MODEL_NOT_ALLOWED' }, { code: 'CUCKOO_MODEL_NOT_ALLOWED' }])
    expect(list()).toHaveLength(9)
  })

  it('takes a manifest of another kind as a first use only where that kind was typed', async () => {
    const { assertAllowed } = createAllowedModels(file)
    await assertAllowed(toManifest('a/t5', { kind: 'translation' }), 'translation')
    const other = toManifest('a/t5', { kind: 'summarization' })
    const refused = expect.objectContaining({ code: 'CUCKOO_MODEL_NOT_ALLOWED', kind: 'denied' })
    await expect(assertAllowed(other, null)).rejects.toThrow(refused)
    // Typed, but not what the model is of: whoever alters the files cannot hide behind the word.
    await expect(assertAllowed(other, 'embedding')).rejects.toThrow(refused)
    await assertAllowed(other, 'summarization')
    await assertAllowed(other, null)
    await assertAllowed(toManifest('a/t5', { dtype: 'q8' }), null)
    expect(list()).toHaveLength(3)
  })
})
