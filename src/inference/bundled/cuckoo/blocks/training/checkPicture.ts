import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a prompt names: one object (perhaps with a place), several alike, or two with the relation of the first to the second. */
export interface Scene {
  objects: { colour: string; kind: string }[]
  place: string | null
  relation: string | null
  background: string
}

/** An object found in a picture: its centroid and area are in shares of the picture's width, height and area. */
export interface SeenObject {
  colour: string
  kind: string
  x: number
  y: number
  area: number
}

/** What findObjects saw. */
export interface SeenScene {
  background: string
  objects: SeenObject[]
}

interface World {
  backgrounds: Record<string, number[]>
  colours: Record<string, [number, number, number]>
  silhouettes: Record<string, { aspect: number; details: boolean | null; rows: string[] }>
}

interface Blob {
  pixels: number[]
  left: number
  top: number
  right: number
  bottom: number
}

const world: World = JSON.parse(readFileSync(join(import.meta.dirname, 'world.json'), 'utf8'))

const FOREGROUND = 55
const CHROMATIC = 90
const SPECK = 16 / 4096
const OWN_COLOUR = 0.6
const OWN_SHAPE = 0.6
const DETAIL = { distance: 40, share: 0.03, mismatch: 0.85 }
const THIRDS = [0.37, 0.63] as const
const APART = 0.15
const HALF = 0.4

const hues = Object.entries(world.colours).map(([name, rgb]) => ({ name, hue: getHue(...rgb) }))
const silhouettes = Object.entries(world.silhouettes).map(([kind, { rows, ...rest }]) => ({
  kind,
  ...rest,
  cells: rows.flatMap((row) => Array.from(row, (digit) => Number(digit) / 9)),
}))
const GRID = Math.sqrt(silhouettes[0]?.cells.length ?? 0)

/**
 * Whether a picture shows what `scene` names, and what it gets wrong: background, count, colours, shapes, place and relation, all
 * measured in the pixels.
 * @param rgb - height x width x 3 bytes
 */
export function checkPicture(rgb: Uint8Array, width: number, height: number, scene: Scene): { ok: boolean; reasons: string[] } {
  return compareScene(findObjects(rgb, width, height), scene)
}

/** Whether what was found in a picture is what `scene` names, and what differs. */
export function compareScene({ background, objects }: SeenScene, scene: Scene): { ok: boolean; reasons: string[] } {
  const reasons: string[] = []
  if (background !== scene.background) reasons.push(`background: ${background} instead of ${scene.background}`)
  if (objects.length !== scene.objects.length) {
    reasons.push(`count: ${objects.length} instead of ${scene.objects.length}`)
  } else {
    const faults = listOrders(objects).map((order) => listFaults(order, scene))
    reasons.push(...faults.reduce((best, some) => (some.length < best.length ? some : best)))
  }
  return { ok: reasons.length === 0, reasons }
}

/**
 * The background's name and the objects of a picture, from top to bottom.
 * @param rgb - height x width x 3 bytes
 */
export function findObjects(rgb: Uint8Array, width: number, height: number): SeenScene {
  const ground = findGround(rgb, width, height)
  const distances = Uint8Array.from({ length: width * height }, (_, i) => getDistance(rgb, i, ground))
  const mask = distances.map((distance) => (distance > FOREGROUND ? 1 : 0))
  const blobs = findBlobs(mask, width, height).filter(({ pixels }) => pixels.length >= SPECK * width * height)
  const objects = blobs.map((blob) => {
    const colour = findColour(rgb, blob.pixels)
    return {
    colour,
    kind: findKind(sharpen(blob, distances, width), width, hasDetails(rgb, blob.pixels, colour, ground)),
    x: getMean(blob.pixels.map((i) => (i % width) + 0.5)) / width,
    y: getMean(blob.pixels.map((i) => Math.floor(i / width) + 0.5)) / height,
    area: blob.pixels.length / (width * height),
    }
  })
  return { background: findName(ground), objects }
}

function listFaults(seen: SeenObject[], scene: Scene): string[] {
  const faults: string[] = []
  for (const [i, { colour, kind }] of scene.objects.entries()) {
    const object = seen[i]
    if (object === undefined) continue
    if (object.colour !== colour) faults.push(`colour: ${object.colour} instead of ${colour} ${kind}`)
    if (object.kind !== kind) faults.push(`shape: ${object.kind} instead of ${colour} ${kind}`)
  }
  const [first, second] = seen
  if (scene.place !== null && first !== undefined) {
    const place = findPlace(first)
    if (place !== scene.place) faults.push(`place: ${place} instead of ${scene.place}`)
  }
  if (scene.relation !== null && scene.relation !== 'and' && first !== undefined && second !== undefined) {
    const relation = findRelation(first, second)
    if (relation !== scene.relation) faults.push(`relation: ${relation} instead of ${scene.relation}`)
  }
  return faults
}

function findPlace({ x, y }: SeenObject): string {
  const column = x < THIRDS[0] ? 'left' : x > THIRDS[1] ? 'right' : ''
  const row = y < THIRDS[0] ? 'top' : y > THIRDS[1] ? 'bottom' : ''
  return `${row} ${column}`.trim() || 'centre'
}

function findRelation(first: SeenObject, second: SeenObject): string {
  const dx = first.x - second.x
  const dy = first.y - second.y
  if (Math.max(Math.abs(dx), Math.abs(dy)) < APART) return 'together'
  if (Math.abs(dx) > Math.abs(dy)) return dx < 0 ? 'left of' : 'right of'
  return dy < 0 ? 'above' : 'below'
}

/** Median colour of the picture's border. */
function findGround(rgb: Uint8Array, width: number, height: number): number[] {
  const border: number[] = []
  for (let x = 0; x < width; x++) border.push(x, (height - 1) * width + x)
  for (let y = 0; y < height; y++) border.push(y * width, y * width + width - 1)
  return [0, 1, 2].map((channel) => {
    const values = border.map((i) => rgb[3 * i + channel] ?? 0).sort((a, b) => a - b)
    return values[values.length >> 1] ?? 0
  })
}

function findName(ground: number[]): string {
  for (const [name, rgb] of Object.entries(world.backgrounds)) {
    if (ground.every((value, channel) => Math.abs(value - (rgb[channel] ?? 0)) < FOREGROUND)) return name
  }
  return 'other'
}

/** Connected regions of the mask; corners connect. */
function findBlobs(mask: Uint8Array, width: number, height: number): Blob[] {
  const blobs: Blob[] = []
  const seen = new Uint8Array(mask.length)
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || seen[start] === 1) continue
    seen[start] = 1
    const pixels = [start]
    const blob: Blob = { pixels, left: width, top: height, right: 0, bottom: 0 }
    for (let next = 0; next < pixels.length; next++) {
      const at = pixels[next] ?? 0
      const x = at % width
      const y = (at - x) / width
      blob.left = Math.min(blob.left, x)
      blob.right = Math.max(blob.right, x)
      blob.top = Math.min(blob.top, y)
      blob.bottom = Math.max(blob.bottom, y)
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          const near = ny * width + nx
          if (mask[near] === 0 || seen[near] === 1) continue
          seen[near] = 1
          pixels.push(near)
        }
      }
    }
    blobs.push(blob)
  }
  return blobs
}

/** The blob without pixels much paler than a neighbour of theirs: those that a blurred edge covers by less than half. */
function sharpen({ pixels }: Blob, distances: Uint8Array, width: number): Blob {
  const around = [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1]
  const kept = pixels.filter((i) => around.every((step) => (distances[i] ?? 0) > HALF * (distances[i + step] ?? 0)))
  const columns = kept.map((i) => i % width)
  const rows = kept.map((i) => Math.floor(i / width))
  return { pixels: kept, left: Math.min(...columns), right: Math.max(...columns), top: Math.min(...rows), bottom: Math.max(...rows) }
}

/** The colour most of an object's colourful pixels have, by hue; `mixed` when fewer than three fifths agree. */
function findColour(rgb: Uint8Array, pixels: number[]): string {
  const votes = new Map<string, number>()
  let total = 0
  for (const i of pixels) {
    const [r = 0, g = 0, b = 0] = rgb.subarray(3 * i, 3 * i + 3)
    if (Math.max(r, g, b) - Math.min(r, g, b) < CHROMATIC) continue
    const hue = getHue(r, g, b)
    const { name } = hues.reduce((best, some) => (getTurn(some.hue, hue) < getTurn(best.hue, hue) ? some : best))
    votes.set(name, (votes.get(name) ?? 0) + 1)
    total++
  }
  const [name, count] = [...votes].reduce((best, some) => (some[1] > best[1] ? some : best), ['none', 0])
  return count >= OWN_COLOUR * total ? name : 'mixed'
}

/** The kind whose silhouette, drawn in the blob's bounding box, overlaps the blob most, only some kinds having details in another colour; `blob` when none does well. */
function findKind(blob: Blob, width: number, detailed: boolean): string {
  const inside = new Set(blob.pixels)
  let best = { kind: 'blob', score: OWN_SHAPE }
  for (const box of listBoxes(blob)) {
    const cells = getCells(inside, width, box)
    for (const { kind, aspect, details, cells: model } of silhouettes) {
      let both = 0
      let either = 0
      for (const [i, share] of model.entries()) {
        both += Math.min(share, cells[i] ?? 0)
        either += Math.max(share, cells[i] ?? 0)
      }
      const stretch = (box.right - box.left) / (box.bottom - box.top) / aspect
      const score = (both / either) * Math.sqrt(Math.min(stretch, 1 / stretch)) * (details === null || details === detailed ? 1 : DETAIL.mismatch)
      if (score > best.score) best = { kind, score }
    }
  }
  return best.kind
}

/** Whether an object has parts in another colour than its own: pixels that are no mixture of its colour and the ground. */
function hasDetails(rgb: Uint8Array, pixels: number[], colour: string, ground: number[]): boolean {
  const own = world.colours[colour] ?? ground
  const line = own.map((value, channel) => value - (ground[channel] ?? 0))
  const length = line.reduce((sum, value) => sum + value * value, 0)
  const others = pixels.filter((i) => {
    const offset = ground.map((value, channel) => (rgb[3 * i + channel] ?? 0) - value)
    const share = Math.min(1, Math.max(0, offset.reduce((sum, value, channel) => sum + value * (line[channel] ?? 0), 0) / (length || 1)))
    return Math.hypot(...offset.map((value, channel) => value - share * (line[channel] ?? 0))) > DETAIL.distance
  })
  return others.length >= DETAIL.share * pixels.length
}

/** The blob's bounding box, and others a little larger or smaller around the same centre: blur cuts points off, half-covered pixels add to edges. */
function listBoxes({ left, top, right, bottom }: Blob): Omit<Blob, 'pixels'>[] {
  const margins = [-0.5, 0, 0.75, 1.5]
  return margins.flatMap((x) => margins.map((y) => ({ left: left - x, top: top - y, right: right + 1 + x, bottom: bottom + 1 + y })))
}

/** Share of foreground in each of GRID x GRID cells of a box. */
function getCells(inside: Set<number>, width: number, { left, top, right, bottom }: Omit<Blob, 'pixels'>): Float64Array {
  const fine = 3
  const cells = new Float64Array(GRID * GRID)
  for (let row = 0; row < GRID * fine; row++) {
    const y = Math.floor(top + ((row + 0.5) * (bottom - top)) / (GRID * fine))
    for (let column = 0; column < GRID * fine; column++) {
      const x = Math.floor(left + ((column + 0.5) * (right - left)) / (GRID * fine))
      const cell = Math.floor(row / fine) * GRID + Math.floor(column / fine)
      if (inside.has(y * width + x)) cells[cell] = (cells[cell] ?? 0) + 1 / fine ** 2
    }
  }
  return cells
}

function listOrders(objects: SeenObject[]): SeenObject[][] {
  if (objects.length < 2) return [objects]
  return objects.flatMap((first, i) => listOrders(objects.filter((_, j) => j !== i)).map((rest) => [first, ...rest]))
}

function getDistance(rgb: Uint8Array, pixel: number, ground: number[]): number {
  return Math.max(...ground.map((value, channel) => Math.abs((rgb[3 * pixel + channel] ?? 0) - value)))
}

/** Hue in degrees, 0 (red) to 360. */
function getHue(r: number, g: number, b: number): number {
  const top = Math.max(r, g, b)
  const range = top - Math.min(r, g, b)
  if (range === 0) return 0
  if (top === r) return (((g - b) / range + 6) % 6) * 60
  return (top === g ? (b - r) / range + 2 : (r - g) / range + 4) * 60
}

function getTurn(a: number, b: number): number {
  const turn = Math.abs(a - b) % 360
  return Math.min(turn, 360 - turn)
}

function getMean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
