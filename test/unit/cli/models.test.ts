import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandEntries } from '../../../src/cli/commands/index.ts'
import type { Context } from '../../../src/cli/context.ts'
import { formatDownload } from '../../../src/cli/downloadView.ts'
import { findModelSources, parseModel } from '../../../src/cli/modelSources.ts'
import { findBytes, formatBytes } from '../../../src/config/bytes.ts'
import { type CliOptions, runMain } from '../../support/cli.ts'
import { hubCommit, startHub, type TestHub } from '../../support/hub.ts'
import { createGraph, toEmbeddingModelFiles, writeModelFiles } from '../../support/onnx.ts'

let home: string
let hub: TestHub
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'cuckoo-cli-models-'))
  hub = await startHub(toEmbeddingModelFiles())
})
afterEach(async () => {
  await hub.close()
  rmSync(home, { recursive: true, force: true })
})

/** The real ports over the stand-in for the hub. */
const run = (argv: string[], options: CliOptions = {}) =>
  runMain(argv, { ...options, env: { CUCKOO_HOME: home, CUCKOO_HUB_URL: `${hub.baseUrl}/`, ...options.env } })
/** What a person sees, with what differs from run to run replaced. */
const see = async (argv: string[], options: CliOptions = {}) => {
  const { code, stdout, stderr } = await run(argv, { terminal: true, ...options })
  expect(stdout.split('\n').filter((line) => line.length > 80 && !line.includes('0x') && !line.includes(home))).toEqual([])
  return `${stdout}${stderr}exit ${code}`
    .replaceAll(home, '<home>')
    .replace(/\s+<home>/g, ' <home>')
    .replace(/0x[0-9a-f]{64}/g, '<hash>')
    .replace(/\d+ s\b/g, '<n> s')
}
const json = async (argv: string[], options: CliOptions = {}) => {
  const { stdout, stderr, code } = await run([...argv, '--json'], options)
  const entry = commandEntries.find(({ path }) => `${argv.join(' ')} `.startsWith(`${path} `))
  const value = JSON.parse(stdout)
  ;(await entry?.load())?.output.parse(value)
  return { value, stderr, code }
}
const at = (...path: string[]) => join(home, 'models', 'a', 'b', hubCommit, ...path)

describe('models pull', () => {
  it('fetches, with a line for each file where nobody watches, and says what is pinned', async () => {
    const lines = (await see(['models', 'pull', 'a/b'])).split('\n')
    // Files come at the same time, in any order.
    const isFile = (line: string) => line.startsWith('fetched')
    expect([...lines.filter((line) => !isFile(line)), ...lines.filter(isFile).sort()].join('\n')).toMatchInlineSnapshot(`
      "a/b  embedding, fp32
      manifest  <hash>
      revision  c0ffee0000000000000000000000000000000000
      files     4, 747 B
      in <home>/models/a/b/c0ffee0000000000000000000000000000000000
      Downloaded 747 B in <n> s. Miners of this machine may load it.
      exit 0
      fetched config.json (95 B)
      fetched onnx/model.onnx (265 B)
      fetched tokenizer.json (310 B)
      fetched tokenizer_config.json (77 B)"
    `)
    expect(await see(['models', 'pull', 'a/b@main'])).toContain('All of it was here.')
    const { value } = await json(['models', 'pull', `a/b:fp32@${hubCommit}`])
    expect(value).toMatchObject({ manifest: { model: 'a/b', revision: hubCommit, dtype: 'fp32' }, findings: [], downloadedBytes: 0 })
  })

  it('with --json says nothing else', async () => {
    expect(await json(['models', 'pull', 'a/b'])).toMatchObject({ stderr: '', code: 0, value: { path: at() } })
  })

  it.each([
    ['../b', 2, 'CUCKOO_MODEL_NAME_INVALID'],
    ['a/b:q9', 2, 'CUCKOO_CLI_VALUE_INVALID'],
    ['a/b#poetry', 2, 'CUCKOO_CLI_VALUE_INVALID'],
    ['a/b@../x', 2, 'CUCKOO_MODEL_REVISION_INVALID'],
    ['a/b:q8', 2, 'CUCKOO_MODEL_DTYPE_MISSING'],
    ['a/c', 2, 'CUCKOO_HUB_MODEL_UNKNOWN'],
  ])('%s: exit %i, %s', async (model, exitCode, code) => {
    const { code: found, stderr } = await run(['models', 'pull', model])
    expect([found, stderr]).toEqual([exitCode, expect.stringContaining(code)])
  })

  it('fetches nothing where the model ships with cuckoo, or where the folder of models is none', async () => {
    expect(await see(['models', 'pull', 'cuckoo/blocks'])).toMatchInlineSnapshot(`
      "error: The model 'cuckoo/blocks' ships with cuckoo and is not in the cache. (CUCKOO_MODEL_BUNDLED)
      hint: It needs no download; \`cuckoo models list\` shows what is in the cache.
      exit 2"
    `)
    expect(await see(['models', 'manifest', 'a/b', '--models-dir', join(home, 'none')])).toMatchInlineSnapshot(`
      "error: '<home>/none' (folder of models) is not a folder. (CUCKOO_CLI_VALUE_INVALID)
      hint: \`cuckoo models manifest --help\` shows what it takes.
      exit 2"
    `)
    expect(await see(['models', 'manifest', 'a/b'])).toMatchInlineSnapshot(`
      "error: The model 'a/b' is not complete on this machine (revision main was never downloaded) and downloads are off. (CUCKOO_HUB_OFFLINE)
      hint: Fetch it with \`cuckoo models pull a/b\`, without CUCKOO_OFFLINE; or use --models-dir with a folder that has it.
      exit 78"
    `)
    expect(await see(['models', 'verify', 'a/b'])).toMatchInlineSnapshot(`
      "error: There is no model 'a/b' in the cache <home>/models. (CUCKOO_MODEL_NOT_FOUND)
      hint: It holds no models; \`cuckoo models pull a/b\` fetches one of the hub.
      exit 2"
    `)
    expect(await see(['miner', 'bench', '--model', 'nope'])).toMatchInlineSnapshot(`
      "error: 'nope' (--model) is not like owner/model, owner/model:q8, owner/model#translation or owner/model@commit. (CUCKOO_CLI_VALUE_INVALID)
      hint: \`cuckoo miner bench --help\` shows what it takes.
      exit 2"
    `)
    expect(hub.requests).toEqual([])
  })

  it('refuses a model that draws random numbers, and says where', async () => {
    hub.files.set(
      'onnx/model.onnx',
      createGraph({
        inputs: { input_ids: ['int64', [1, 'n']] },
        outputs: { last_hidden_state: ['float', [1]] },
        nodes: [['RandomUniform', [], ['last_hidden_state']]],
      }),
    )
    expect((await see(['models', 'pull', 'a/b'])).split('\n').slice(-3).join('\n')).toMatchInlineSnapshot(`
      "error: The model 'a/b' is refused: in onnx/model.onnx, RandomUniform (last_hidden_state) draws random numbers, so no second run gives the same. (CUCKOO_MODEL_UNSAFE)
      hint: \`cuckoo models manifest a/b\` lists everything; choose another export of the model.
      exit 65"
    `)
  })
})

describe('settings', () => {
  it('the cache, its budget, offline, and the token from the environment or its file', async () => {
    writeFileSync(join(home, 'token'), 'hf_from_file\n')
    await run(['models', 'pull', 'a/b'], { env: { CUCKOO_MODELS_CACHE: join(home, 'elsewhere'), HF_TOKEN_PATH: join(home, 'token') } })
    expect(hub.requests[0]?.authorization).toBe('Bearer hf_from_file')
    expect(readFileSync(join(home, 'elsewhere', 'a', 'b', hubCommit, 'config.json')).length).toBeGreaterThan(0)
    const { stdout, stderr, code } = await run(['models', 'pull', 'a/b'], { env: { CUCKOO_MODELS_BUDGET: '1kB', HF_TOKEN: 'hf_secret' } })
    expect([code, stderr]).toEqual([10, expect.stringContaining('CUCKOO_MODELS_DISK_FULL')])
    expect(hub.requests.at(-1)?.authorization).toBe('Bearer hf_secret')
    expect(stdout + stderr).not.toContain('hf_')
    const offline = await run(['models', 'pull', 'a/c'], { env: { CUCKOO_OFFLINE: 'true' } })
    expect([offline.code, offline.stderr]).toEqual([78, expect.stringContaining('CUCKOO_HUB_OFFLINE')])
  })
})

describe('models list', () => {
  it('shows what ships, and the cache with its budget', async () => {
    await run(['models', 'pull', 'a/b'])
    const shown = await see(['models', 'list'], { env: { CUCKOO_MODELS_BUDGET: '1GB' } })
    expect(shown).toMatch(/^cuckoo\/storyteller +text +fp32, q8 +8.32 MB$/m)
    expect(shown.slice(shown.indexOf('\n\n'))).toMatchInlineSnapshot(`
      "

      1.44 kB of 1.00 GB in <home>/models
      in the cache  dtypes     size  revision             used
      a/b           fp32    1.44 kB  c0ffee000000 (main)  <n> s ago

      No coordinator is named, so nothing is known of offers.
      exit 0"
    `)
    expect((await json(['models', 'list'])).value.cached).toMatchObject([{ model: 'a/b', revision: hubCommit, names: ['main'], dtypes: ['fp32'] }])
  })
})

describe('models verify', () => {
  it('fault 15: reports an altered file with exit code 65, and fetches it again where it is asked to', async () => {
    expect(await see(['models', 'verify'])).toBe('The cache is empty.\nexit 0')
    await run(['models', 'pull', 'a/b'])
    writeFileSync(at('tokenizer.json'), '{}')
    expect(await see(['models', 'verify'])).toMatchInlineSnapshot(`
      "model  revision      files   size
      a/b    c0ffee000000      4  439 B  1 altered

      a/b tokenizer.json: set aside
        expected 310 bytes
        found    2 bytes
      error: 1 cached file was not what the hub listed and was set aside, tokenizer.json of a/b first. (CUCKOO_MODELS_CACHE_ALTERED)
      hint: \`cuckoo models verify --repair\` fetches them again.
      exit 65"
    `)
    const { value, code } = await json(['models', 'verify', 'a/b@main', '--repair'])
    expect([code, value]).toMatchObject([0, { ok: true, models: [{ altered: [{ path: 'tokenizer.json', repaired: true }] }] }])
    expect(await see(['models', 'verify', 'a/b'])).toContain('Every file is the one that the hub listed.')
  })
})

describe('models remove', () => {
  it('says what it frees, deletes it, and refuses what ships', async () => {
    await run(['models', 'pull', 'a/b'])
    expect(await see(['models', 'remove', 'a/b', '--dry-run'])).toMatch(
      /^would remove a\/b@c0ffee000000 {2}[\d.]+ kB\nWould free [\d.]+ kB. Nothing was removed.\nexit 0$/,
    )
    const { value } = await json(['models', 'remove', 'a/b@c0ffee000000'])
    expect(value).toMatchObject({ removed: [{ model: 'a/b', revision: hubCommit }], dryRun: false, freedBytes: expect.any(Number) })
    expect((await json(['models', 'list'])).value.cached).toEqual([])
    expect(await see(['models', 'remove', 'cuckoo/storyteller'])).toContain('CUCKOO_MODEL_BUNDLED')
  })
})

describe('models manifest', () => {
  it('of what ships, of a folder into a file, and of the cache without asking the hub', async () => {
    expect((await json(['models', 'manifest', 'cuckoo/storyteller:q8'])).value).toMatchObject({
      source: 'bundled',
      manifest: { dtype: 'q8', kind: 'text' },
      findings: [],
    })
    writeModelFiles(join(home, 'own', 'a', 'b'), toEmbeddingModelFiles())
    const out = join(home, 'manifest.json')
    expect(await see(['models', 'manifest', 'a/b', '--models-dir', join(home, 'own'), '--out', out])).toMatchInlineSnapshot(`
      "a/b  embedding, fp32
      manifest  <hash>
      files     4, 747 B
      written <home>/manifest.json
      The linter finds nothing to refuse.
      exit 0"
    `)
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ model: 'a/b', revision: null })
    expect(await see(['models', 'manifest', 'a/b'])).toContain('CUCKOO_HUB_OFFLINE')
    const { value: pulled } = await json(['models', 'pull', 'a/b'])
    hub.requests.length = 0
    expect((await json(['models', 'manifest', 'a/b'])).value).toMatchObject({ source: 'hub', digest: pulled.digest })
    expect(hub.requests).toEqual([])
  })
})

describe('names of models', () => {
  it.each([
    ['a/b', { model: 'a/b', dtype: null, kind: null, revision: null }],
    ['a/t5#summarization', { model: 'a/t5', dtype: null, kind: 'summarization', revision: null }],
    ['a/b:q8#translation@refs/pr/1', { model: 'a/b', dtype: 'q8', kind: 'translation', revision: 'refs/pr/1' }],
  ])('%s', (text, expected) => expect(parseModel(text, 'cuckoo')).toEqual(expected))

  it.each(['b', 'a/b/c', 'a/b:', 'a/b#', 'a/b@', 'a/b#translation:q8', 'a/b:Q8', ''])('%j is refused', (text) => {
    expect(() => parseModel(text, 'cuckoo')).toThrow(expect.objectContaining({ code: 'CUCKOO_CLI_VALUE_INVALID' }))
  })

  it('of a branch are pinned to a commit, which is said once; those of commits and folders are not', async () => {
    const notes: string[] = []
    const context = {
      command: 'cuckoo miner start',
      output: { note: (text: string) => notes.push(text) },
      ports: {
        getEngine: async () => ({ listBundledModels: async () => [{ model: 'cuckoo/x' }] }),
        getModelCache: async () => ({ resolve: async () => hubCommit }),
      },
    } as unknown as Context<never>
    writeModelFiles(join(home, 'own', 'me', 'x'), toEmbeddingModelFiles())
    const model = ['cuckoo/x', 'me/x', 'a/b:q8#translation', `a/c@${hubCommit}`]
    expect(
      (await findModelSources(context, { model, modelsDir: join(home, 'own'), dtype: 'fp32', device: 'cpu' })).map(({ source, dtype, kind }) => ({
        source,
        dtype,
        kind,
      })),
    ).toEqual([
      { source: { from: 'bundled' }, dtype: 'fp32' },
      { source: { from: 'folder', directory: join(home, 'own') }, dtype: 'fp32' },
      { source: { from: 'hub', revision: hubCommit }, dtype: 'q8', kind: 'translation' },
      { source: { from: 'hub', revision: hubCommit }, dtype: 'fp32' },
    ])
    expect(notes).toEqual(['a/b: main is commit c0ffee000000 on this machine; `cuckoo models pull` moves it.'])
    await expect(findModelSources(context, { model: ['cuckoo/y'], dtype: 'fp32', device: 'cpu' })).rejects.toMatchObject({
      code: 'CUCKOO_MODEL_NOT_FOUND',
      message: "There is no model 'cuckoo/y' in the models that ship with cuckoo.",
      hint: 'Models there: cuckoo/x.',
    })
  })
})

describe('a download at a terminal', () => {
  it('has a line for the whole and one for each file on its way, none wider than 80 columns', () => {
    const file = (name: string, receivedBytes: number, totalBytes: number) => ({
      file: name,
      receivedBytes,
      totalBytes,
      overall: { receivedBytes: 0, totalBytes: 0 },
    })
    const shown = formatDownload(
      'some-long-owner-name/some-even-longer-model-name-instruct q4f16',
      { receivedBytes: 412e6, totalBytes: 1.2e9 },
      [file('onnx/model.onnx_data', 300e6, 600e6), file('text_encoder_with_a_long_name/onnx/model_quantized.onnx', 1, 5e8), file('x', 0, 0)],
      [
        { atMs: 0, bytes: 0 },
        { atMs: 10_000, bytes: 412e6 },
      ],
      80,
    )
    expect(`\n${shown}`).toMatchInlineSnapshot(`
      "
      …er-model-name-instruct q4f16   34 %  412 MB of 1.20 GB  41.2 MB/s, 19 s left
        onnx/model.onnx_data               ██████████░░░░░░░░░░  50 %   600 MB
        …ng_name/onnx/model_quantized.onnx ░░░░░░░░░░░░░░░░░░░░   0 %   500 MB
        x                                  ████████████████████ 100 %      0 B"
    `)
    // The spinner and a space stand before the first line.
    expect(`⠋ ${shown}`.split('\n').filter((line) => [...line].length > 79)).toEqual([])
  })
})

describe('sizes', () => {
  it.each([
    ['50GB', 50e9],
    ['1.5 gb', 1.5e9],
    ['512MiB', 512 * 2 ** 20],
    ['10', 10],
    ['0', undefined],
    ['-1GB', undefined],
    ['5XB', undefined],
    ['99999999TB', undefined],
  ])('%s', (text, bytes) => expect(findBytes(text)).toBe(bytes))

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [1_234_567_890, '1.23 GB'],
    [5e15, '5000 TB'],
  ])('%i bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text))
})
