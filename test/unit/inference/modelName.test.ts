import { describe, expect, it } from 'vitest'
import { assertModelName } from '../../../src/inference/modelName.ts'

describe('assertModelName', () => {
  it.each(['cuckoo/storyteller', 'karpathy/stories260K-embed', 'HuggingFaceTB/SmolLM2-135M-Instruct', 'a/b.c_d'])('takes %s', (name) => {
    expect(() => assertModelName(name)).not.toThrow()
  })

  it.each([
    '',
    'storyteller',
    'a/b/c',
    '/b',
    'a/',
    '../b',
    'a/..',
    'a/b..c',
    'a/%2e%2e',
    'a/b\0',
    'a\\b',
    'a/b c',
    'a/.git',
    '-rf/b',
    'https://x/y',
    'a/ü',
    `a/${'b'.repeat(97)}`,
    'x'.repeat(5000),
  ])('refuses %j', (name) => {
    expect(() => assertModelName(name)).toThrow(expect.objectContaining({ code: 'CUCKOO_MODEL_NAME_INVALID', kind: 'usage' }))
  })

  it('does not repeat a long name in its message', () => {
    try {
      assertModelName('x'.repeat(5000))
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(200)
    }
    expect.hasAssertions()
  })
})
