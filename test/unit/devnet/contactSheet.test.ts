import { decode } from 'fast-png'
import { describe, expect, it } from 'vitest'
import { glyphAdvance, glyphHeight, listDots } from '../../../src/devnet/bitmapFont.ts'
import { createContactSheet } from '../../../src/devnet/createContactSheet.ts'
import { createPicture } from '../../support/mediaFiles.ts'

/** Text as its dots show it. */
function draw(text: string): string[] {
  const rows = Array.from({ length: glyphHeight }, () => new Array<string>([...text].length * glyphAdvance).fill(' '))
  for (const [x, y] of listDots(text)) (rows[y] as string[])[x] = '#'
  return rows.map((row) => row.join('').trimEnd())
}

describe('the font', () => {
  it('has tails below the line, and a box for what it lacks', () => {
    expect(draw('qi€').join('\n')).toMatchInlineSnapshot(`
      "        #   #####
                  #   #
       ####  ##   #   #
      #   #   #   #   #
      #   #   #   #   #
      #   #   #   #   #
       ####  ###  #####
          #
          #"
    `)
  })
  it('draws every letter and digit in its own way', () => {
    const shapes = [...'abcdefghijklmnopqrstuvwxyz0123456789'].map((letter) => draw(letter).join('\n'))
    expect(new Set(shapes).size).toBe(36)
    expect(Math.max(...listDots('w').map(([x]) => x))).toBeLessThan(glyphAdvance - 1)
  })
})

describe('a contact sheet', () => {
  it('shows every picture with its caption and, in one colour each, who made it', async () => {
    const red = createPicture(2, 2, () => [255, 0, 0]).data
    const corner = createPicture(64, 64, (x, y) => (x < 32 && y < 32 ? [0, 0, 255] : [0, 255, 0])).data
    const long = 'a caption of many words that has to be broken into lines, of which two are kept'
    const pictures = [
      { png: red, caption: 'one', note: 'ada' },
      { png: corner, caption: long, note: 'bob' },
      { png: red, caption: 'three', note: 'ada' },
      { png: red, caption: 'four', note: 'ada' },
      { png: red, caption: 'five', note: 'bob' },
    ]
    const { width, height, data, channels } = decode(await createContactSheet(pictures))
    const at = (x: number, y: number) => [...data.subarray((y * width + x) * channels, (y * width + x) * channels + 3)]
    const [left, below] = [16 + 256 + 16, (height - 16) / 2]
    expect([width, height % 2]).toEqual([16 + 4 * 272, 0])
    // pixels are repeated, not blurred
    expect([at(16, 16), at(16 + 255, 16 + 255)]).toEqual([
      [255, 0, 0],
      [255, 0, 0],
    ])
    expect([at(left + 127, 16 + 127), at(left + 128, 16 + 127)]).toEqual([
      [0, 0, 255],
      [0, 255, 0],
    ])
    // the stripe under a picture is the maker's
    const stripe = (column: number, row: number) => at(16 + column * 272, 16 + row * below + 256 + 1)
    expect(stripe(2, 0)).toEqual(stripe(0, 0))
    expect(stripe(0, 1)).toEqual(stripe(1, 0))
    expect(stripe(1, 0)).not.toEqual(stripe(0, 0))
    // nothing is written over the neighbour
    for (let y = 16; y < below; y++) for (let x = left + 256; x < left + 272; x++) expect(at(x, y)).toEqual(at(1, 1))
  })
})
