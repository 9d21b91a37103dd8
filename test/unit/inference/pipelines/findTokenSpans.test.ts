import { describe, expect, it } from 'vitest'
import { findTokenSpans } from '../../../../src/inference/pipelines/findTokenSpans.ts'
import { joinEntities } from '../../../../src/inference/pipelines/tokenClassification.ts'

const toTexts = (text: string, words: string[]) => findTokenSpans(text, words).map((span) => span && text.slice(span.start, span.end))

describe('findTokenSpans', () => {
  it.each([
    ['Hello,  WORLD', ['hello', ',', 'world'], ['Hello', ',', 'WORLD']],
    ['Zoë lives in São Paulo', ['zoe', 'lives', 'in', 'sao', 'paulo'], ['Zoë', 'lives', 'in', 'São', 'Paulo']],
    ['Zoe\u0308!', ['zoe', '!'], ['Zoe\u0308', '!']],
    ['embeddings', ['em', '##bed', '##dings'], ['em', 'bed', 'dings']],
    ['New York', ['▁New', '▁York'], ['New', 'York']],
    ['in the in', ['in', 'the', 'in'], ['in', 'the', 'in']],
    ['ﬁne 👍 day', ['fine', '👍', 'day'], ['ﬁne', '👍', 'day']],
  ])('finds the tokens of %o', (text, words, expected) => {
    expect(toTexts(text, words)).toEqual(expected)
  })

  it('goes on behind what it cannot find', () => {
    expect(toTexts('Ada xyzzy Berlin', ['Ada', '\ufffd', '', 'nowhere', 'Berlin'])).toEqual(['Ada', null, null, null, 'Berlin'])
    expect(toTexts(`Ada ${'x'.repeat(300)} Berlin`, ['Ada', 'Berlin'])).toEqual(['Ada', null])
  })
})

describe('joinEntities', () => {
  const toWords = (labels: string[]) => labels.map((label, index) => ({ start: index * 2, end: index * 2 + 1, label, score: (index + 1) / 10 }))
  const join = (...labels: string[]) => joinEntities(toWords(labels)).map(({ label, start, end }) => `${label} ${start}-${end}`)

  it('follows BIO, BIOES and bare labels', () => {
    expect(join('B-PER', 'I-PER', 'O', 'I-PER')).toEqual(['PER 0-3', 'PER 6-7'])
    expect(join('B-PER', 'B-PER', 'I-LOC')).toEqual(['PER 0-1', 'PER 2-3', 'LOC 4-5'])
    expect(join('B-LOC', 'E-LOC', 'I-LOC', 'S-LOC', 'I-LOC')).toEqual(['LOC 0-3', 'LOC 4-5', 'LOC 6-7', 'LOC 8-9'])
    expect(join('PER', 'PER', 'LOC', 'O')).toEqual(['PER 0-3', 'LOC 4-5'])
  })

  it('scores an entity by the mean of its words', () => {
    expect(joinEntities(toWords(['O', 'B-PER', 'I-PER']))[0]?.score).toBeCloseTo(0.25, 10)
  })
})
