import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelKind } from '../../../src/domain/taskKinds.ts'
import { createModelCache } from '../../../src/inference/modelCache.ts'
import { type ModelPlaces, prepareModel } from '../../../src/inference/prepareModel.ts'
import { hubCommit, startHub, type TestHub } from '../../support/hub.ts'
import { createGraph, createTableGraph, table, tableColumns, toEmbeddingModelFiles, writeModelFiles } from '../../support/onnx.ts'

let directory: string
let hub: TestHub
let places: ModelPlaces
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-cache-'))
  hub = await startHub(toEmbeddingModelFiles())
  places = { modelsDirectory: join(directory, 'models'), allowedModelsFile: join(directory, 'miner', 'allowed-manifests.json'), hubUrl: hub.baseUrl }
})
afterEach(async () => {
  await hub.close()
  rmSync(directory, { recursive: true, force: true })
})

const code = (value: string, more: object = {}) => expect.objectContaining({ code: value, ...more })
const wanted = { model: 'a/b', dtype: 'fp32', revision: null } as const
const at = (...path: string[]) => join(directory, 'models', 'a', 'b', hub.commit, ...path)
/** What a miner does before it loads a model. */
const open = (more: Partial<ModelPlaces> = {}, kind?: ModelKind) =>
  prepareModel({ model: 'a/b', source: { from: 'hub', revision: null }, dtype: 'fp32', kind }, { ...places, ...more })
const moveBranch = () => {
  hub.commit = 'beef'.padEnd(40, '0')
  hub.files.set('onnx/model.onnx', createTableGraph({ table: table.map((value) => value + 1), columns: tableColumns, output: 'last_hidden_state' }))
}
const allowed = () => JSON.parse(readFileSync(places.allowedModelsFile as string, 'utf8')).allowed as { manifest: string }[]
const randomGraph = () =>
  createGraph({
    inputs: { input_ids: ['int64', [1, 'n']] },
    outputs: { last_hidden_state: ['float', [1, 1]] },
    nodes: [['RandomUniform', [], ['last_hidden_state'], { shape: [1, 1] }]],
  })

describe('pull', () => {
  it('fetches a model, says its manifest, and lists it', async () => {
    const cache = createModelCache(places)
    const pulled = await cache.pull(wanted)
    expect(pulled).toMatchObject({ manifest: { model: 'a/b', revision: hubCommit, kind: 'embedding' }, findings: [], path: at(), previousRevision: null })
    expect(await cache.list()).toMatchObject([{ model: 'a/b', revision: hubCommit, names: ['main'], dtypes: ['fp32'], quarantined: 0 }])
    expect(await cache.pull(wanted)).toMatchObject({ downloadedBytes: 0, digest: pulled.digest })
    expect(await cache.inspect({ ...wanted, source: { from: 'hub', revision: null } })).toMatchObject({ digest: pulled.digest })
  })

  it('lists no dtype whose weights beside the graph are missing', async () => {
    hub.files.set('onnx/model.onnx', createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData: 'model.onnx_data' }))
    hub.files.set('onnx/model.onnx_data', Buffer.from(table.buffer))
    const cache = createModelCache(places)
    await cache.pull(wanted)
    expect(await cache.list()).toMatchObject([{ dtypes: ['fp32'] }])
    rmSync(at('onnx', 'model.onnx_data'))
    expect(await cache.list()).toMatchObject([{ dtypes: [] }])
  })

  it('refuses a model that the linter refuses, and does not allow it', async () => {
    hub.files.set('onnx/model.onnx', randomGraph())
    const unsafe = code('CUCKOO_MODEL_UNSAFE', { kind: 'invalid', message: expect.stringContaining('RandomUniform (last_hidden_state)') })
    await expect(createModelCache(places).pull(wanted)).rejects.toThrow(unsafe)
    await expect(open()).rejects.toThrow(unsafe)
    expect(existsSync(places.allowedModelsFile as string)).toBe(false)
    expect((await createModelCache(places).inspect({ ...wanted, source: { from: 'hub', revision: null } })).findings).toMatchObject([{ rule: 'random' }])
  })

  it('refuses names that lead out of the cache', async () => {
    const cache = createModelCache(places)
    for (const model of ['../b', 'a/..', 'a/%2e%2e', 'a/b\0', 'x'.repeat(5_000)]) {
      await expect(cache.pull({ ...wanted, model })).rejects.toThrow(code('CUCKOO_MODEL_NAME_INVALID'))
      await expect(cache.remove({ model, revision: null }, { dryRun: false })).rejects.toThrow(code('CUCKOO_MODEL_NAME_INVALID'))
      await expect(cache.verify({ model, revision: null }, { repair: false })).rejects.toThrow(code('CUCKOO_MODEL_NAME_INVALID'))
      await expect(cache.resolve(model, null)).rejects.toThrow(code('CUCKOO_MODEL_NAME_INVALID'))
      await expect(cache.inspect({ ...wanted, model, source: { from: 'folder', directory } })).rejects.toThrow(code('CUCKOO_MODEL_NAME_INVALID'))
    }
    expect(hub.requests).toEqual([])
  })
})

describe('allowed manifests', () => {
  it('the first use of a name allows its manifest; another one must be pulled', async () => {
    const first = await open()
    expect(allowed()).toHaveLength(1)
    await open()
    // Somebody deletes the cache, and the branch has moved: the same words on the command line would run other weights.
    rmSync(places.modelsDirectory, { recursive: true })
    moveBranch()
    const refused = code('CUCKOO_MODEL_NOT_ALLOWED', { kind: 'denied', hint: expect.stringContaining(`cuckoo models pull a/b:fp32@${hub.commit}`) })
    await expect(open()).rejects.toThrow(refused)
    expect(allowed()).toHaveLength(1)
    const pulled = await createModelCache(places).pull({ ...wanted, revision: hub.commit })
    expect((await open()).manifest.revision).toBe(hub.commit)
    expect(allowed().map(({ manifest }) => manifest)).toContain(pulled.digest)
    expect(pulled.manifest.files).not.toEqual(first.manifest.files)
  })

  it('a branch whose files now say another kind is not a first use, unless a person typed that kind', async () => {
    await open()
    rmSync(places.modelsDirectory, { recursive: true })
    hub.commit = 'beef'.padEnd(40, '0')
    hub.files.set(
      'config.json',
      Buffer.from(JSON.stringify({ ...(toEmbeddingModelFiles()['config.json'] as object), architectures: ['BertForSequenceClassification'] })),
    )
    const refused = code('CUCKOO_MODEL_NOT_ALLOWED', { hint: expect.stringContaining(`cuckoo models pull a/b:fp32@${hub.commit}`) })
    await expect(open()).rejects.toThrow(refused)
    await expect(open({}, 'embedding')).rejects.toThrow(code('CUCKOO_MODEL_NOT_ALLOWED'))
    expect(allowed()).toHaveLength(1)
    expect((await open({}, 'text-classification')).manifest.kind).toBe('text-classification')
    expect(allowed()).toHaveLength(2)
    await open()
    hub.commit = 'cafe'.padEnd(40, '0')
    rmSync(places.modelsDirectory, { recursive: true })
    await expect(open({}, 'text-classification')).rejects.toThrow(
      code('CUCKOO_MODEL_NOT_ALLOWED', { hint: expect.stringContaining(`cuckoo models pull a/b:fp32#text-classification@${hub.commit}`) }),
    )
  })

  it('a cache that was altered together with its listing is refused', async () => {
    await open()
    const altered = createTableGraph({ table: table.map((value) => value + 1), columns: tableColumns, output: 'last_hidden_state' })
    writeFileSync(at('onnx', 'model.onnx'), altered)
    const listing = JSON.parse(readFileSync(at('listing.json'), 'utf8'))
    for (const file of listing.files)
      if (file.path === 'onnx/model.onnx') Object.assign(file, { bytes: altered.length, sha256: `0x${createHash('sha256').update(altered).digest('hex')}` })
    writeFileSync(at('listing.json'), JSON.stringify(listing))
    await expect(open()).rejects.toThrow(code('CUCKOO_MODEL_NOT_ALLOWED'))
  })

  it('folders that are named and models that ship with cuckoo need no entry', async () => {
    writeModelFiles(join(directory, 'own', 'a', 'b'), toEmbeddingModelFiles())
    await prepareModel({ model: 'a/b', source: { from: 'folder', directory: join(directory, 'own') }, dtype: 'fp32' }, places)
    await prepareModel({ model: 'cuckoo/storyteller', source: { from: 'bundled' }, dtype: 'q8' }, places)
    expect(existsSync(places.allowedModelsFile as string)).toBe(false)
  })

  it('a list that cannot be read allows nothing', async () => {
    await open()
    for (const content of ['{', '{"allowed":[{"model":"a/b"}]}', '[]']) {
      writeFileSync(places.allowedModelsFile as string, content)
      await expect(open()).rejects.toThrow(code('CUCKOO_MODELS_ALLOWED_UNREADABLE', { kind: 'config' }))
    }
  })
})

describe('the cache as a folder', () => {
  it('works after it was moved, offline', async () => {
    const before = await open()
    renameSync(places.modelsDirectory, join(directory, 'elsewhere'))
    await hub.close()
    const moved = await open({ modelsDirectory: join(directory, 'elsewhere'), offline: true })
    expect(moved.manifest).toEqual(before.manifest)
    expect(moved.folder.path).toContain('elsewhere')
    expect(readFileSync(join(directory, 'elsewhere', 'a', 'b', hubCommit, 'listing.json'), 'utf8')).not.toContain(directory)
  })

  it('resolves a branch once', async () => {
    const cache = createModelCache(places)
    expect(await cache.resolve('a/b', null)).toBe(hubCommit)
    moveBranch()
    expect(await cache.resolve('a/b', 'main')).toBe(hubCommit)
    expect(hub.requests).toHaveLength(1)
    await expect(createModelCache({ ...places, offline: true }).resolve('a/b', 'v2')).rejects.toThrow(code('CUCKOO_HUB_OFFLINE'))
  })
})

describe('verify', () => {
  const alter = () => {
    const content = readFileSync(at('onnx', 'model.onnx'))
    content[20] = (content[20] as number) ^ 1
    writeFileSync(at('onnx', 'model.onnx'), content)
    writeFileSync(at('tokenizer.json'), '{')
  }

  it('fault 15: sets altered and truncated files aside, and names them', async () => {
    const cache = createModelCache(places)
    await cache.pull(wanted)
    expect(await cache.verify(null, { repair: false })).toMatchObject([{ model: 'a/b', revision: hubCommit, files: 4, altered: [] }])
    alter()
    const [verified] = await cache.verify(null, { repair: false })
    expect(verified?.altered).toEqual([
      { path: 'tokenizer.json', expected: expect.stringMatching(/^\d+ bytes$/), found: '1 bytes', repaired: false },
      { path: 'onnx/model.onnx', expected: expect.stringMatching(/^0x/), found: expect.stringMatching(/^0x/), repaired: false },
    ])
    expect(existsSync(at('onnx', 'model.onnx'))).toBe(false)
    expect(await cache.list()).toMatchObject([{ quarantined: 2, dtypes: [] }])
    const aside = { found: 'none: it was set aside before' }
    expect(await cache.verify(null, { repair: false })).toMatchObject([{ files: 4, altered: [aside, aside] }])
    await open()
    expect(readFileSync(at('onnx', 'model.onnx'))).toEqual(hub.files.get('onnx/model.onnx'))
    expect(await cache.verify(null, { repair: false })).toMatchObject([{ files: 4, altered: [] }])
  })

  it('fault 15: fetches them again at once where it is asked to; a link counts as altered', async () => {
    const cache = createModelCache(places)
    await cache.pull(wanted)
    alter()
    rmSync(at('config.json'))
    symlinkSync('/etc/hostname', at('config.json'))
    const [verified] = await cache.verify({ model: 'a/b', revision: 'main' }, { repair: true })
    expect(verified?.altered.map(({ path, repaired }) => [path, repaired])).toEqual([
      ['config.json', true],
      ['tokenizer.json', true],
      ['onnx/model.onnx', true],
    ])
    for (const path of ['config.json', 'tokenizer.json', 'onnx/model.onnx']) expect(readFileSync(at(path))).toEqual(hub.files.get(path))
    expect(readFileSync('/etc/hostname').length).toBeGreaterThan(0)
  })

  it('fault 14: touches nothing but files that came from the hub, whatever a listing of an older version names', async () => {
    const cache = createModelCache(places)
    await cache.pull(wanted)
    writeFileSync(join(directory, 'secret.txt'), 'secret')
    const listing = JSON.parse(readFileSync(at('listing.json'), 'utf8'))
    const names = ['../../../../secret.txt', join(directory, 'secret.txt'), 'assets/what?.png', 'never/fetched.bin', 'listing.json', 7]
    listing.files.push(...names.map((path) => ({ path, bytes: 1, sha256: null, gitOid: null })))
    writeFileSync(at('listing.json'), JSON.stringify(listing))
    expect(await cache.verify(null, { repair: true })).toMatchObject([{ files: 4, altered: [] }])
    expect(readdirSync(directory).sort()).toEqual(['miner', 'models', 'secret.txt'])
    expect(existsSync(at('listing.json'))).toBe(true)
  })

  it('sets aside what no hash vouches for: an older version took it', async () => {
    const cache = createModelCache(places)
    await cache.pull(wanted)
    const listing = JSON.parse(readFileSync(at('listing.json'), 'utf8'))
    for (const file of listing.files) if (file.path === 'config.json') file.gitOid = null
    writeFileSync(at('listing.json'), JSON.stringify(listing))
    expect(await cache.verify(null, { repair: false })).toMatchObject([{ altered: [{ path: 'config.json', expected: 'a hash that the hub lists' }] }])
    await expect(open()).rejects.toThrow(code('CUCKOO_HUB_FILE_UNHASHED'))
  })

  it('names what the cache has for what it has not', async () => {
    const cache = createModelCache(places)
    await cache.pull(wanted)
    await expect(cache.verify({ model: 'a/c', revision: null }, { repair: false })).rejects.toThrow(
      code('CUCKOO_MODEL_NOT_FOUND', { hint: 'Models there: a/b@c0ffee000000.' }),
    )
  })
})

describe('remove', () => {
  it('deletes one commit by name or first digits, or all, after a dry run that deletes nothing', async () => {
    const cache = createModelCache(places)
    await cache.pull(wanted)
    moveBranch()
    await cache.pull(wanted)
    expect((await cache.list()).map(({ revision, names }) => [revision.slice(0, 6), names])).toEqual([
      ['beef00', ['main']],
      ['c0ffee', []],
    ])
    const both = await cache.remove({ model: 'a/b', revision: null }, { dryRun: true })
    expect(both).toHaveLength(2)
    expect(await cache.list()).toHaveLength(2)
    await expect(cache.remove({ model: 'a/b', revision: 'c0ffe' }, { dryRun: false })).rejects.toThrow(code('CUCKOO_MODEL_NOT_FOUND'))
    expect(await cache.remove({ model: 'a/b', revision: 'c0ffee0' }, { dryRun: false })).toMatchObject([{ revision: hubCommit }])
    expect(existsSync(at())).toBe(true)
    await cache.remove({ model: 'a/b', revision: 'main' }, { dryRun: false })
    expect(await cache.list()).toEqual([])
    // The model was allowed and its branch pinned: it comes back as it was.
    expect((await open()).manifest.revision).toBe(hub.commit)
  })

  it.each(['list', 'verify', 'remove', 'pull'] as const)('what one that was killed left goes with the next %s, of any model', async (next) => {
    const cache = createModelCache({ ...places, budgetBytes: 60_000 })
    await cache.pull(wanted)
    const left = join(directory, 'models', 'old', 'one', `${hubCommit}.removed`)
    writeModelFiles(left, { 'onnx/model.onnx': Buffer.alloc(100_000) })
    rmSync(at('tokenizer.json'))
    if (next === 'list') await cache.list()
    if (next === 'verify') await cache.verify(null, { repair: false })
    if (next === 'remove') await cache.remove({ model: 'a/b', revision: null }, { dryRun: false })
    // It would not fit the budget.
    if (next === 'pull') await cache.pull(wanted)
    expect(existsSync(left)).toBe(false)
    expect(existsSync(at())).toBe(next !== 'remove')
  })

  it.each(['remove', 'verify'] as const)('refuses to %s what ships with cuckoo, and says what does where such a name is mistyped', async (verb) => {
    const cache = createModelCache(places)
    const run = (model: string) =>
      verb === 'remove' ? cache.remove({ model, revision: null }, { dryRun: false }) : cache.verify({ model, revision: null }, { repair: false })
    await expect(run('cuckoo/storyteller')).rejects.toMatchObject({ code: 'CUCKOO_MODEL_BUNDLED' })
    await expect(run('cuckoo/bloks')).rejects.toMatchObject({ code: 'CUCKOO_MODEL_NOT_FOUND', hint: 'Models there: cuckoo/blocks, cuckoo/storyteller.' })
    await expect(run('a/b')).rejects.toMatchObject({ code: 'CUCKOO_MODEL_NOT_FOUND', hint: expect.stringContaining('cuckoo models pull a/b') })
  })
})

describe('last use', () => {
  it('is when a model was opened, not when it came', async () => {
    await open()
    utimesSync(at('listing.json'), 1, 1)
    expect(await createModelCache(places).list()).toMatchObject([{ lastUsedAt: 1 }])
    await open({ offline: true })
    expect((await createModelCache(places).list())[0]?.lastUsedAt).toBeGreaterThan(1_000_000)
  })

  it('a cache whose locks cannot be made is refused with its name', async () => {
    await open()
    cpSync(places.modelsDirectory, join(directory, 'copy'), { recursive: true })
    rmSync(join(directory, 'copy', '.locks'), { recursive: true })
    writeFileSync(join(directory, 'copy', '.locks'), 'a file where the locks would be')
    await expect(open({ modelsDirectory: join(directory, 'copy'), offline: true })).rejects.toThrow(code('CUCKOO_MODELS_DIRECTORY_UNUSABLE'))
  })
})
