import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { describeIssue } from '../../../src/api/requestInput.ts'

const schema = z.strictObject({
  params: z.object({ speed: z.number().max(4), format: z.enum(['wav', 'flac']), prompt: z.string().max(50) }),
  input: z.union([z.string().max(3), z.object({ text: z.object({ size: z.number() }) })]),
})
const good = { params: { speed: 1, format: 'wav', prompt: '' }, input: 'abc' }

describe('the first thing that breaks a schema', () => {
  test.each([
    ['a number', { ...good, params: { ...good.params, speed: 9 } }, 'params.speed', 'Too big: expected number to be <=4, not 9'],
    ['one of a choice', { ...good, params: { ...good.params, format: 'mp3' } }, 'params.format', 'Invalid option: expected one of "wav"|"flac", not "mp3"'],
    ['what is missing', { ...good, params: { speed: 1, prompt: '' } }, 'params.format', 'Invalid option: expected one of "wav"|"flac"'],
    [
      'a long text, which stays private',
      { ...good, params: { ...good.params, prompt: 'x'.repeat(51) } },
      'params.prompt',
      'Too big: expected string to have <=50 characters',
    ],
    ['a branch of a union', { ...good, input: { text: { size: 'big' } } }, 'input.text.size', 'expected number, received string, not "big"'],
    ['an unknown field', { ...good, extra: 1 }, 'extra', 'is not known here'],
  ])('%s is named with what was found', (_, input, where, problem) => {
    const { error } = schema.safeParse(input)
    const found = describeIssue(error as z.ZodError, input)
    expect([found.path.join('.'), found.problem]).toEqual([where, problem])
  })
})
