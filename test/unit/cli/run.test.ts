import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../src/domain/canonical.ts'
import { chainTime, createFakeChain, createFakePorts, otherNode, owner, runMain } from '../../support/cli.ts'
import { createPicture } from '../../support/mediaFiles.ts'

const folder = mkdtempSync(join(tmpdir(), 'cuckoo-unit-run-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => join(folder, name)

const { media, data } = createPicture(8, 8, () => [255, 0, 0])
const id = `0x${'ee'.repeat(32)}` as const
const hash = `0x${'ab'.repeat(32)}` as const
const receipt = {
  assignment: { taskId: id, attempt: 1, seed: 42n, unitPriceWei: 1n, maxPriceWei: 20n, issuedAt: BigInt(chainTime), coordinator: owner, miner: otherNode },
  result: { units: 20n },
}
const toTask = (fields: object) => ({
  id,
  state: 'done',
  model: 'cuckoo/blocks',
  kind: 'image',
  miner: otherNode,
  priceWei: 10n ** 14n,
  failures: [],
  text: null,
  output: { images: [media] },
  receipt,
  ...fields,
})
const model = (name: string, tasks: string[], kind: string) => ({
  id: name,
  cuckoo: { tasks, kind, chat: false, image: kind === 'image' ? { steps: 20 } : null },
})

/** A coordinator that notes what it was asked and answers with `task`. */
function createCoordinator(task: object = {}, events: object[] = []) {
  const seen: { created?: Record<string, unknown>; uploads: Uint8Array[]; cancelled: number } = { uploads: [], cancelled: 0 }
  let interrupt = () => {}
  const client = {
    listModels: async () => ({
      data: [model('a/text', ['chat', 'completion'], 'text'), model('cuckoo/blocks', ['image'], 'image'), model('a/tr', ['translation'], 'translation')],
    }),
    uploadMedia: async ({ body }: { body: Uint8Array }) => {
      seen.uploads.push(body)
      return { sha256: hash }
    },
    createTask: async ({ body }: { body: Record<string, unknown> }) => {
      seen.created = body
      return { task: toTask({ state: 'queued' }) }
    },
    getTask: async () => toTask(task),
    getMedia: async () => data,
    cancelTask: async () => void seen.cancelled++,
    stream: {
      async *watchTask(_input: object, { signal }: { signal: AbortSignal }) {
        for (const event of events) {
          if (event === waitsForever) {
            interrupt()
            signal.throwIfAborted()
            await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
          } else if (event === waitsForFrame) await sleep(250)
          else yield event
        }
        yield { type: 'state', task: toTask(task) }
      },
    },
  }
  const ports = createFakePorts(createFakeChain(), { createClient: async () => client as never })
  const options = { compose: ports, env: { CUCKOO_COORDINATOR: 'https://a.example', CUCKOO_API_KEY: 'key' } }
  return {
    seen,
    run: (...args: string[]) => runMain(['run', ...args], options),
    /** at a terminal; lines without the spinner's own characters */
    see: (...args: string[]) => runMain(['run', ...args], { ...options, answers: [], terminal: true }),
    /** Ctrl-C when it waits for ever */
    runInterrupted: (...args: string[]) =>
      runMain(['run', ...args], {
        ...options,
        onStart: (send) => {
          interrupt = () => send('SIGINT')
        },
      }),
  }
}
const waitsForever = {}
/** Until the spinner has been drawn again. */
const waitsForFrame = {}

beforeEach(() => {
  for (const name of ['out.png', 'out-1.png', 'out-2.png']) rmSync(at(name), { force: true })
})

describe('run --image', () => {
  it('asks for what was typed, keeps the image, and says who drew it', async () => {
    const { seen, run } = createCoordinator()
    const flags = ['--size', '64x32', '--steps', '5', '--guidance', '2.5', '--negative', 'dogs', '--scheduler', 'lcm', '--seed', '18446744073709551615']
    const { code, stdout, stderr } = await run('--image', at('out.png'), 'a fox', ...flags)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toBe(`${at('out.png')} (8 × 8), ${data.length} bytes\n`)
    expect(seen.created).toEqual({
      kind: 'image',
      model: 'cuckoo/blocks',
      input: { prompt: 'a fox', negativePrompt: 'dogs' },
      params: { width: 64, height: 32, steps: 5, guidance: 2.5, scheduler: 'lcm' },
      seed: 2n ** 64n - 1n,
      dryRun: false,
    })
    expect(sha256(readFileSync(at('out.png')))).toBe(media.sha256)
  })

  it('prints one object with --json, and the same into --save', async () => {
    const { run } = createCoordinator()
    const { stdout } = await run('--image', at('out.png'), 'a fox', '--save', at('answer.json'), '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'image',
      seed: '42',
      priceWei: '100000000000000',
      miner: otherNode,
      receipt: id,
      files: [{ path: at('out.png') }],
    })
    expect(JSON.parse(readFileSync(at('answer.json'), 'utf8'))).toEqual(JSON.parse(stdout))
  })

  it('tells a person the steps, the seed and how to check the receipt', async () => {
    const { see } = createCoordinator({}, [
      { type: 'state', task: toTask({ state: 'running' }) },
      { type: 'progress', attempt: 1, done: 14, total: 40 },
      waitsForFrame,
    ])
    const { stderr } = await see('--image', at('out.png'), 'a fox')
    expect(stderr).toContain('step 7 of 20')
    expect(stderr).toMatch(/0\.0001 CAI, --seed 42/)
    expect(stderr).toContain('cuckoo receipt verify')
  })

  it('sends nothing when a file is there already', async () => {
    const { seen, run } = createCoordinator()
    writeFileSync(at('out-2.png'), '')
    const { code, stderr } = await run('--image', at('out.png'), 'a fox', '--count', '2')
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${at('out-2.png')} exists already`)])
    expect(seen.created).toBeUndefined()
  })

  it('keeps no image whose bytes are not the ones that were signed for', async () => {
    const { run } = createCoordinator({ output: { images: [{ ...media, sha256: hash }] } })
    const { code, stderr } = await run('--image', at('out.png'), 'a fox')
    expect([code, stderr]).toEqual([65, expect.stringContaining('CUCKOO_API_RESPONSE_INVALID')])
    expect(existsSync(at('out.png'))).toBe(false)
  })

  it.each([
    [{ state: 'failed', failures: [{ miner: otherNode, message: 'too large' }] }, 'CUCKOO_TASK_FAILED', 'too large', 10],
    [{ state: 'dead', failures: [{ miner: otherNode, message: 'out of memory' }] }, 'CUCKOO_TASK_DEAD', 'out of memory', 75],
    [{ state: 'cancelled' }, 'CUCKOO_RUN_CANCELLED', id, 10],
  ])('says why there is none: %j', async (task, code, reason, exit) => {
    const run = await createCoordinator({ output: null, ...task }).run('--image', at('out.png'), 'a fox')
    expect([run.code, run.stderr]).toEqual([exit, expect.stringContaining(code)])
    expect(run.stderr).toContain(reason)
  })

  it('cancels the task on Ctrl-C: nobody waits for it, and it would be paid for', async () => {
    const { seen, runInterrupted } = createCoordinator({}, [waitsForever])
    expect((await runInterrupted('--image', at('out.png'), 'a fox')).code).toBe(130)
    await expect.poll(() => seen.cancelled).toBe(1)
  })
})

describe('run --kind', () => {
  it('reads parameters by the kind’s own schema', async () => {
    const { seen, run } = createCoordinator({ kind: 'translation', output: { text: 'bonjour' }, text: 'bonjour' })
    const { stdout } = await run('--kind', 'translation', 'good day', '--param', 'target=fr', '--param', 'maxTokens=9')
    expect(stdout).toBe('bonjour\n')
    expect(seen.created).toMatchObject({ kind: 'translation', model: 'a/tr', input: { text: 'good day' }, params: { target: 'fr', maxTokens: 9 } })
  })

  it('uploads the file, and names it by its hash', async () => {
    const { seen, run } = createCoordinator({ kind: 'image-classification', output: { labels: [{ label: 'fox', score: 0.98765 }] } })
    writeFileSync(at('in.png'), data)
    const { stdout } = await run('--kind', 'image-classification', '--file', at('in.png'), '--model', 'a/b', '--param', 'topK=1')
    expect(stdout).toBe('0.988  fox\n')
    expect(seen.uploads.map((body) => Buffer.from(body))).toEqual([Buffer.from(data)])
    expect(seen.created).toMatchObject({ model: 'a/b', input: { media: { sha256: hash } }, params: { topK: 1 } })
  })

  it.each([
    [{ output: { objects: [{ label: 'fox', score: 0.5, box: { left: 1.4, top: 2, right: 30.6, bottom: 40 } }] } }, '0.500  fox  1,2 to 31,40\n'],
    [{ output: { entities: [{ label: 'PER', score: 0.9, text: 'Ada', start: 0, end: 3 }] } }, '0.900  PER  Ada\n'],
    [{ output: { text: 'hi', segments: [], words: [{ startMs: 0, endMs: 480, text: ' hi' }] }, text: 'hi' }, 'hi\n    0.00     0.48  hi\n'],
    [
      { output: { dimensions: 2, embeddings: [Buffer.from(new Float32Array([0.5, -1]).buffer).toString('base64')] } },
      '2 dimensions: 0.5000, -1.0000 … (--json has them all)\n',
    ],
  ])('shows %j', async (task, shown) => {
    writeFileSync(at('in.png'), data)
    expect((await createCoordinator(task).run('--kind', 'object-detection', '--file', at('in.png'), '--model', 'a/b')).stdout).toBe(shown)
  })

  it('says what is missing, what means nothing, and what does not exist', async () => {
    const fail = async (...args: string[]) => {
      const { seen, run } = createCoordinator()
      const { code, stderr, stdout } = await run(...args)
      expect([stdout, seen.created]).toEqual(['', undefined])
      return `${stderr}exit ${code}`
    }
    expect(await fail()).toMatchInlineSnapshot(`
      "error: A task of kind 'chat' needs a text. (CUCKOO_RUN_INPUT_MISSING)
      hint: Write it like: cuckoo run "Once upon a time"
      exit 2"
    `)
    expect(await fail('--kind', 'transcription')).toMatchInlineSnapshot(`
      "error: A task of kind 'transcription' needs --file with a sound. (CUCKOO_RUN_INPUT_MISSING)
      hint: Write it like: cuckoo run --kind transcription --file <audio>
      exit 2"
    `)
    expect(await fail('--kind', 'zero-shot-classification', 'a text')).toMatchInlineSnapshot(`
      "error: A task of kind 'zero-shot-classification' needs at least one --label. (CUCKOO_RUN_INPUT_MISSING)
      hint: Write it like: cuckoo run --kind zero-shot-classification --label good --label bad "…"
      exit 2"
    `)
    expect(await fail('--kind', 'speech', 'a text')).toMatchInlineSnapshot(`
      "error: A task of kind 'speech' needs --out with a file for the sound. (CUCKOO_RUN_INPUT_MISSING)
      hint: Write it like: cuckoo run --kind speech "…" --out <file>
      exit 2"
    `)
    expect(await fail('--kind', 'image-classification', 'a text', '--file', at('in.png'))).toMatchInlineSnapshot(`
      "error: A task of kind 'image-classification' needs a file and no text. (CUCKOO_RUN_INPUT_MISSING)
      hint: Write it like: cuckoo run --kind image-classification --file <image>
      exit 2"
    `)
    expect(await fail('a text', '--steps', '5')).toMatchInlineSnapshot(`
      "error: --steps means nothing to a task of kind 'chat'. (CUCKOO_RUN_OPTION_UNFIT)
      hint: Leave it out, or give --kind with one that it is for: image.
      exit 2"
    `)
    expect(await fail('--image', at('out.png'))).toContain('hint: Write it like: cuckoo run --image <file> "…"\n')
    expect(await fail('--image', at('none/out.png'), 'a text')).toContain(`there is no folder ${at('none')}. (CUCKOO_CLI_FOLDER_MISSING)`)
    expect(await fail('a text', '--save', at('none/answer.json'))).toContain('CUCKOO_CLI_FOLDER_MISSING')
    expect(await fail('--kind', 'translation', 'a text', '--param', 'tongue=fr')).toMatchInlineSnapshot(`
      "error: 'tongue=fr' (--param) is not a parameter of 'translation'. (CUCKOO_RUN_PARAM_INVALID)
      hint: A task of kind 'translation' takes source, target, maxTokens: write --param name=value.
      exit 2"
    `)
    expect(await fail('--kind', 'translation', 'a text', '--param', 'maxTokens=many')).toMatchInlineSnapshot(`
      "error: 'maxTokens=many' (--param) does not fit: Invalid input: expected number, received string. (CUCKOO_RUN_PARAM_INVALID)
      hint: A task of kind 'translation' takes source, target, maxTokens: write --param name=value.
      exit 2"
    `)
    expect(await fail('--kind', 'summarization', 'a text')).toMatchInlineSnapshot(`
      "error: No miner here offers a model for 'summarization'. (CUCKOO_RUN_MODEL_MISSING)
      hint: Models here: a/text, cuckoo/blocks, a/tr. Start a miner with another.
      exit 10"
    `)
  })
})
