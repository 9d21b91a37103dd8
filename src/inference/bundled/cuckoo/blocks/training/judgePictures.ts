/**
 * Judges pictures that evaluate.py wrote: `node judgePictures.ts FOLDER`, where FOLDER holds scenes.json (a list) and pictures.rgb
 * (64 x 64 x 3 bytes each, in the same order). Prints one JSON line: how many are right, how many would pass for another scene of the
 * list, and what is wrong with the others.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compareScene, findObjects, type Scene, type SeenScene } from './checkPicture.ts'

const SIZE = 64
const folder = process.argv[2] ?? '.'
const scenes: Scene[] = JSON.parse(readFileSync(join(folder, 'scenes.json'), 'utf8'))
const bytes = new Uint8Array(readFileSync(join(folder, 'pictures.rgb')))
const seen = scenes.map((_, i) => findObjects(bytes.subarray(i * SIZE * SIZE * 3, (i + 1) * SIZE * SIZE * 3), SIZE, SIZE))

const judge = (shift: number) => scenes.map((scene, i) => compareScene(seen[(i + shift) % seen.length] as SeenScene, scene))
const own = judge(0)
const other = [1, 2, 3, 5, 8].flatMap(judge)
const count = (results: { ok: boolean }[]) => results.filter(({ ok }) => ok).length
const faults = own.flatMap(({ ok, reasons }, i) => (ok ? [] : [{ i, reasons }]))
console.log(JSON.stringify({ pictures: own.length, right: count(own), others: other.length, othersRight: count(other), faults }))
