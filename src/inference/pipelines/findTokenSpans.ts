/** UTF-16 units of a text, `end` after the last. */
export interface Span {
  start: number
  end: number
}

/** How far ahead a token is looked for after tokens that could not be found. */
const maxGap = 200

/**
 * Where each token lies in `text`, null where it cannot be told (a part of a character, an unknown word). transformers.js 4.3.1
 * leaves offsets out, so tokens are looked for one after another in the text without case and accents, as normalizers remove them.
 * @param words what each token decodes to by itself, in order
 */
export function findTokenSpans(text: string, words: readonly string[]): (Span | null)[] {
  const folded = foldText(text)
  let cursor = 0
  return words.map((word) => {
    while (cursor < folded.units.length && /\s/.test(folded.units[cursor] as string)) cursor++
    const piece = foldText(word.replace(/^##/, '')).text.replace(/[\s▁]/g, '')
    if (piece === '' || piece.includes('\ufffd')) return null
    const at = folded.text.indexOf(piece, cursor)
    if (at < 0 || at - cursor > maxGap) return null
    cursor = at + piece.length
    return { start: folded.starts[at] as number, end: folded.ends[cursor - 1] as number }
  })
}

interface FoldedText {
  text: string
  units: string[]
  /** by folded unit: where its character starts and ends in the original */
  starts: number[]
  ends: number[]
}

function foldText(text: string): FoldedText {
  const [units, starts, ends]: [string[], number[], number[]] = [[], [], []]
  let position = 0
  for (const character of text) {
    const end = position + character.length
    const plain = character.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
    // A mark that stands by itself belongs to the character before it.
    if (plain === '' && ends.length > 0) ends[ends.length - 1] = end
    for (const unit of plain.split('')) {
      units.push(unit)
      starts.push(position)
      ends.push(end)
    }
    position = end
  }
  return { text: units.join(''), units, starts, ends }
}
