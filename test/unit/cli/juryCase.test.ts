import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { saveCase } from '../../../src/cli/juryCase.ts'
import { encodeCanonical } from '../../../src/domain/canonical.ts'
import type { Deployment } from '../../../src/domain/chainPort.ts'
import { zeroAddress, zeroHash } from '../../../src/domain/hex.ts'
import { toTestReceipt } from '../../support/storeFixtures.ts'

const image = { sha256: zeroHash, bytes: 9, type: 'image/png', width: 64, height: 64 }
const audio = { sha256: zeroHash, bytes: 9, type: 'audio/wav', durationMs: 9 }
const imageParams = { count: 1, width: 64, height: 64, steps: 4, guidance: 2, scheduler: 'euler' }
const textParams = { maxTokens: 3, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-31' }
const label = { label: 'cat', score: 0.5 }

test.each([
  ['completion', { tokenIds: [1] }, textParams, { tokenIds: [2], finishReason: 'stop' }],
  ['embedding', { tokenIds: [[1]] }, { normalize: true }, { dimensions: 1, embeddings: ['AAAAAA=='] }],
  ['image', { prompt: 'a cat', negativePrompt: '' }, imageParams, { images: [image] }],
  ['transcription', { media: audio }, { language: null, task: 'transcribe', timestamps: 'none' }, { text: '', segments: [], words: [] }],
  ['speech', { text: 'hi' }, { voice: null, speed: 1 }, { audio }],
  ['zero-shot-classification', { text: 'hi', labels: ['cat'] }, { multiLabel: false }, { labels: [label] }],
  ['image-classification', { media: image }, { topK: 5 }, { labels: [label] }],
  ['captioning', { media: image }, { maxTokens: 5 }, { text: 'a cat' }],
])('evidence of kind %s is saved in the form that receipt commands read', async (kind, input, params, output) => {
  const folder = mkdtempSync(join(tmpdir(), 'cuckoo-case-'))
  const evidence = { input: encodeCanonical(input).bytes, params: encodeCanonical(params).bytes, output: encodeCanonical(output).bytes }
  const deployment = { chainId: 31337, contracts: { staking: zeroAddress } } as unknown as Deployment
  try {
    const saved = await saveCase({ kind: 'challenge', receipt: toTestReceipt(zeroHash), evidence, additions: [] }, deployment, join(folder, 'case'))
    expect(JSON.parse(readFileSync(saved[0] as string, 'utf8'))).toMatchObject({ content: { kind, input, params }, output })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
