import { existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { getModelFile, listModelPaths, type ModelFolder, setAside } from '../../../src/inference/modelFolder.ts'
import { writeModelFiles } from '../../support/onnx.ts'

let directory: string
let folder: ModelFolder
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-folder-'))
  folder = { model: 'a/b', path: join(directory, 'a', 'b'), refuseHardLinks: true }
  writeModelFiles(folder.path, { 'config.json': {}, 'onnx/model.onnx': 'graph' })
  writeFileSync(join(directory, 'secret'), 'secret')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const inside = (...parts: string[]) => join(folder.path, ...parts)
const escapes = expect.objectContaining({ code: 'CUCKOO_MODEL_FILE_ESCAPES', kind: 'invalid' })

describe('fault 14: paths of model files', () => {
  it.each([
    '../../secret',
    '..',
    '.',
    '',
    '/etc/hostname',
    'onnx/../../../secret',
    'onnx//model.onnx',
    '..\\..\\secret',
    'C:/secret',
    'C:secret',
    '%2e%2e/%2e%2e/secret',
    'config.json\0.png',
    'config.json\n',
    'con',
    'onnx/NUL.onnx',
    'config.json.',
    'config.json ',
    'a:stream',
    '*/_ORT_MEM_ADDR_/*',
    'x'.repeat(5_000),
  ])('%j is refused', async (file) => {
    await expect(getModelFile(folder, file)).rejects.toThrow(escapes)
  })

  it('a refused name of 5,000 characters is not repeated in the message', async () => {
    const error = (await getModelFile(folder, 'x'.repeat(5_000)).catch((reason: unknown) => reason)) as Error
    expect(error.message.length).toBeLessThan(700)
  })

  it('plain files are found, also through links that stay inside', async () => {
    symlinkSync('onnx', inside('graphs'))
    symlinkSync('onnx/model.onnx', inside('model.onnx'))
    expect(await getModelFile(folder, 'onnx/model.onnx')).toBe(inside('onnx', 'model.onnx'))
    expect(await getModelFile(folder, 'model.onnx')).toBe(inside('onnx', 'model.onnx'))
    expect(await getModelFile(folder, 'graphs/model.onnx')).toBe(inside('onnx', 'model.onnx'))
    expect(await listModelPaths(folder)).toEqual(new Set(['config.json', 'onnx/model.onnx', 'graphs/model.onnx', 'model.onnx']))
  })

  it.each([
    ['a link to a file outside', () => symlinkSync(join(directory, 'secret'), inside('x'))],
    ['a link to nothing', () => symlinkSync('nowhere', inside('x'))],
    ['a link to itself', () => symlinkSync('x', inside('x'))],
    ['a hard link', () => linkSync(join(directory, 'secret'), inside('x'))],
    ['a folder', () => mkdirSync(inside('x'))],
  ])('%s is refused', async (_, make) => {
    make()
    await expect(getModelFile(folder, 'x')).rejects.toThrow(escapes)
  })

  it('a linked folder that leads outside is refused when the folder is listed, one level up or the root of the disk', async () => {
    for (const target of [directory, '/', '../..']) {
      symlinkSync(target, inside('x'))
      await expect(listModelPaths(folder)).rejects.toThrow(escapes)
      rmSync(inside('x'))
    }
    // A neighbour whose name begins like the folder's own is outside too.
    mkdirSync(join(directory, 'a', 'bb'))
    symlinkSync('../bb', inside('x'))
    await expect(listModelPaths(folder)).rejects.toThrow(escapes)
  })

  it('links in a circle end', async () => {
    symlinkSync('.', inside('self'))
    symlinkSync('../onnx', inside('onnx', 'again'))
    expect(await listModelPaths(folder)).toEqual(new Set(['config.json', 'onnx/model.onnx']))
  })

  it('folders that link to each other many times over are given up, not walked for ever', { timeout: 20_000 }, async () => {
    for (let level = 0; level < 16; level++) {
      mkdirSync(inside(`d${level}`))
      for (const name of ['l', 'r']) symlinkSync(`../d${level + 1}`, inside(`d${level}`, name))
    }
    mkdirSync(inside('d16'))
    await expect(listModelPaths(folder)).rejects.toThrow(escapes)
  })
})

describe('setAside', () => {
  it('renames a file, and of a link the link', async () => {
    symlinkSync(join(directory, 'secret'), inside('link'))
    await setAside(folder, 'onnx/model.onnx')
    await setAside(folder, 'link')
    expect(readFileSync(inside('onnx', 'model.onnx.quarantined'), 'utf8')).toBe('graph')
    expect(lstatSync(inside('link.quarantined')).isSymbolicLink()).toBe(true)
    expect(existsSync(join(directory, 'secret'))).toBe(true)
  })

  it('fault 14: touches nothing outside the folder, neither by its name nor through a linked folder', async () => {
    symlinkSync(directory, inside('out'))
    for (const file of ['../../secret', join(directory, 'secret'), 'out/secret']) await expect(setAside(folder, file)).rejects.toThrow(escapes)
    expect(readdirSync(directory).sort()).toEqual(['a', 'secret'])
  })
})
