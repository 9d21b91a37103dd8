import { describe, expect, it } from 'vitest'
import { cutAtStop } from '../../../src/domain/text.ts'

describe('cutAtStop', () => {
  it('cuts before the earliest stop string', () => {
    expect(cutAtStop('One day.\nThe end', ['end', '\n'])).toBe('One day.')
    expect(cutAtStop('One day', ['x', ''])).toBe('One day')
    expect(cutAtStop('One day', [])).toBe('One day')
    expect(cutAtStop('stop', ['stop'])).toBe('')
  })
})
