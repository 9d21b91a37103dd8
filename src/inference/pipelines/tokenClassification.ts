import { assertTextFits } from './assertTextFits.ts'
import { findTokenSpans } from './findTokenSpans.ts'
import { type PipelineRow, readsLogits, singleGraph, textFiles } from './pipelineRow.ts'

interface Token {
  entity: string
  score: number
  word: string
}
export interface LabelledSpan {
  start: number
  end: number
  /** as the model names it: `B-PER`, `I-PER`, `PER`, `O` */
  label: string
  score: number
}

/** Entities of a text: whole words, with where they stand in UTF-16 units. */
export const tokenClassification: PipelineRow<'token-classification'> = {
  task: 'token-classification',
  pipeline: 'TokenClassificationPipeline',
  variants: [{ architectures: /ForTokenClassification$/, graphs: singleGraph, model: 'AutoModelForTokenClassification' }],
  files: textFiles,
  generates: false,
  reads: readsLogits,
  run: async (call) => {
    const { model, text } = call
    assertTextFits(call, text)
    const tokens = (await model.call(text, { ignore_labels: [] })) as Token[]
    const spans = findTokenSpans(
      text,
      tokens.map(({ word }) => word),
    )
    const found = tokens.flatMap(({ entity, score }, index) => {
      const span = spans[index]
      return span === null || span === undefined ? [] : [{ ...span, label: entity, score }]
    })
    const entities = joinEntities(joinWords(text, found)).map(({ start, end, ...entity }) => ({ ...entity, text: text.slice(start, end), start, end }))
    return { output: { entities } }
  },
}

const endsInWord = /[\p{L}\p{N}\p{M}]$/u
const startsInWord = /^[\p{L}\p{N}]/u

/** Tokens joined to words; a word has the label and the score of its first token, as Python's strategy `first`. */
function joinWords(text: string, tokens: readonly LabelledSpan[]): LabelledSpan[] {
  const words: LabelledSpan[] = []
  for (const token of tokens) {
    const last = words.at(-1)
    const inside =
      last !== undefined &&
      token.start <= last.end &&
      endsInWord.test(text.slice(last.end - 2, last.end)) &&
      startsInWord.test(text.slice(token.start, token.start + 2))
    if (inside) last.end = Math.max(last.end, token.end)
    else words.push({ ...token })
  }
  return words
}

/** Words joined to entities by their tags (BIO, BIOES, or none); the score is the mean. */
export function joinEntities(words: readonly LabelledSpan[]): LabelledSpan[] {
  const groups: { label: string; words: LabelledSpan[]; open: boolean }[] = []
  let last: (typeof groups)[number] | null = null
  for (const word of words) {
    const [, prefix = 'I', label = word.label] = /^([BIES])-(.+)$/.exec(word.label) ?? []
    if (label === 'O') last = null
    else if (last?.open && last.label === label && prefix !== 'B' && prefix !== 'S') {
      last.words.push(word)
      last.open = prefix !== 'E'
    } else {
      last = { label, words: [word], open: prefix !== 'S' }
      groups.push(last)
    }
  }
  return groups.map(({ label, words: [first, ...others] }) => {
    const all = [first as LabelledSpan, ...others]
    const end = (all.at(-1) as LabelledSpan).end
    return { label, score: all.reduce((sum, { score }) => sum + score, 0) / all.length, start: (first as LabelledSpan).start, end }
  })
}
