import { describe, expect, test } from 'vitest'
import { type TaskContent, toMaxUnits, toUnits } from '../../../src/domain/task.ts'

const hash = `0x${'11'.repeat(32)}` as const
const toImage = (width: number, height: number) => ({ type: 'image/png' as const, sha256: hash, bytes: 10, width, height })
const toText = (params: { tokens: number; text: string }): TaskContent => ({
  kind: 'summarization',
  input: { text: params.text },
  params: { maxTokens: params.tokens },
})

describe('paid units', () => {
  test.each<[string, TaskContent, bigint]>([
    ['the tokens of an embedding', { kind: 'embedding', input: { tokenIds: [[1, 2], [3]] }, params: { normalize: true } }, 3n],
    [
      'steps of images, by started areas of 256 × 256',
      { kind: 'image', input: { prompt: 'a', negativePrompt: '' }, params: { count: 2, steps: 5, width: 257, height: 256, guidance: 1, scheduler: 'euler' } },
      20n,
    ],
    ['characters', { kind: 'text-classification', input: { text: 'abc' }, params: { topK: 1 } }, 3n],
    ['at least one', { kind: 'text-classification', input: { text: '' }, params: { topK: 1 } }, 1n],
    ['characters for each label', { kind: 'zero-shot-classification', input: { text: 'abc', labels: ['x', 'y'] }, params: { multiLabel: false } }, 6n],
    [
      'started seconds',
      {
        kind: 'transcription',
        input: { media: { type: 'audio/wav', sha256: hash, bytes: 10, durationMs: 1_001 } },
        params: { language: null, task: 'transcribe', timestamps: 'none' },
      },
      2n,
    ],
    ['started megapixels', { kind: 'depth-estimation', input: { media: toImage(1_001, 1_000) }, params: {} }, 2n],
    ['a text of which as much is asked for as its characters include', toText({ text: 'a'.repeat(10), tokens: 52 }), 10n],
    ['a token more', toText({ text: 'a'.repeat(10), tokens: 53 }), 11n],
    ['one character that asks for the longest text', toText({ text: 'a', tokens: 1_024 }), 991n],
  ])('%s', (_, content, units) => {
    expect(toMaxUnits(content)).toBe(units)
  })

  test('tokens of a text are paid as they were made, all else as it was asked for', () => {
    const params = { maxTokens: 9, temperature: 1, topP: 1, topK: 0, stop: [], date: '2026-01-01' }
    const text: TaskContent = { kind: 'completion', input: { tokenIds: [1] }, params }
    expect(toUnits(text, { tokenIds: [1, 2], finishReason: 'stop' })).toBe(2n)
    expect(toMaxUnits(text)).toBe(9n)
    expect(toUnits(toText({ text: 'abc', tokens: 4 }), { text: 'a' })).toBe(3n)
  })
})
