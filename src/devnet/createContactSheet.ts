import { glyphAdvance, glyphHeight, listDots } from './bitmapFont.ts'

export interface SheetPicture {
  png: Uint8Array
  /** the prompt */
  caption: string
  /** who made it; pictures of the same note share a colour */
  note: string
}

type Colour = readonly [number, number, number]

const columns = 4
const cell = 256
const gap = 16
const dotPixels = 2
const lineHeight = (glyphHeight + 2) * dotPixels
const captionLines = 2
const paper: Colour = [250, 249, 246]
const ink: Colour = [40, 40, 48]
/** Okabe and Ito's palette, which colour-blind people can tell apart. */
const noteColours: readonly Colour[] = [
  [0, 114, 178],
  [213, 94, 0],
  [0, 158, 115],
  [204, 121, 167],
  [86, 180, 233],
  [230, 159, 0],
]

/** Bytes of one PNG with all pictures side by side, four in a row, each with its caption and a note in the note's colour. */
export async function createContactSheet(pictures: readonly SheetPicture[]): Promise<Uint8Array> {
  const { encode } = await import('fast-png')
  const cellHeight = cell + 12 + (captionLines + 1) * lineHeight
  const rows = Math.ceil(pictures.length / columns)
  const sheet = createCanvas(gap + columns * (cell + gap), gap + rows * (cellHeight + gap))
  const notes = [...new Set(pictures.map(({ note }) => note))]
  for (const [index, picture] of pictures.entries()) {
    const left = gap + (index % columns) * (cell + gap)
    const top = gap + Math.floor(index / columns) * (cellHeight + gap)
    const colour = noteColours[notes.indexOf(picture.note) % noteColours.length] as Colour
    await drawPicture(sheet, picture.png, left, top)
    fill(sheet, left, top + cell, cell, 4, colour)
    const lines = wrap(picture.caption, Math.floor(cell / (glyphAdvance * dotPixels)))
    for (const [line, text] of lines.entries()) write(sheet, text, left, top + cell + 12 + line * lineHeight, ink)
    write(sheet, picture.note, left, top + cell + 12 + lines.length * lineHeight, colour)
  }
  return encode({ width: sheet.width, height: sheet.height, data: sheet.data, depth: 8, channels: 3 })
}

interface Canvas {
  width: number
  height: number
  data: Uint8Array
}

function createCanvas(width: number, height: number): Canvas {
  const canvas = { width, height, data: new Uint8Array(width * height * 3) }
  fill(canvas, 0, 0, width, height, paper)
  return canvas
}

function fill(canvas: Canvas, left: number, top: number, width: number, height: number, colour: Colour): void {
  for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) canvas.data.set(colour, (y * canvas.width + x) * 3)
}

/** Fills the cell, pixels repeated as they are: a small picture stays sharp. */
async function drawPicture(canvas: Canvas, png: Uint8Array, left: number, top: number): Promise<void> {
  const { decode } = await import('fast-png')
  const { width, height, data, channels } = decode(png)
  for (let y = 0; y < cell; y++) {
    for (let x = 0; x < cell; x++) {
      const from = (Math.floor((y * height) / cell) * width + Math.floor((x * width) / cell)) * channels
      const colour = channels < 3 ? [0, 0, 0] : [0, 1, 2]
      canvas.data.set(
        colour.map((channel) => data[from + channel] as number),
        ((top + y) * canvas.width + left + x) * 3,
      )
    }
  }
}

function write(canvas: Canvas, text: string, left: number, top: number, colour: Colour): void {
  for (const [x, y] of listDots(text.slice(0, Math.floor(cell / (glyphAdvance * dotPixels))))) {
    fill(canvas, left + x * dotPixels, top + y * dotPixels, dotPixels, dotPixels, colour)
  }
}

/** Words in at most {@link captionLines} lines of `width` characters; what is longer is cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.slice(0, captionLines)
}
