import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from 'fast-png'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failCuckoo, type RunningCuckoo, runCuckoo, runCuckooJson, startCuckoo } from '../support/cuckoo.ts'
import { colours, toDiffusersModelFiles } from '../support/diffusersModel.ts'
import { createPicture, createTones, createWav } from '../support/mediaFiles.ts'
import { writeModelFiles } from '../support/onnx.ts'
import { writeTinyModel } from '../support/tinyModels.ts'

const home = mkdtempSync(join(tmpdir(), 'cuckoo-e2e-images-'))
const at = (name: string) => join(home, name)
const tinyKinds = ['image-classification', 'speech', 'transcription', 'translation', 'zero-shot-classification', 'image-to-image'] as const
let devnet: RunningCuckoo

beforeAll(async () => {
  writeModelFiles(at('models/tiny/colours'), toDiffusersModelFiles())
  const tiny = await Promise.all(tinyKinds.map((kind) => writeTinyModel(at('models'), kind)))
  const models = ['tiny/colours', ...tiny].flatMap((model) => ['--model', model])
  const ports = ['--rpc-port', '0', '--port', '0']
  devnet = startCuckoo(['devnet', 'start', ...ports, '--miner-bond', '21000', '--models-dir', at('models'), ...models], { home })
  await devnet.waitFor((event) => event['event'] === 'ready', 180_000)
}, 200_000)

afterAll(async () => {
  await devnet?.stop()
  rmSync(home, { recursive: true, force: true })
}, 60_000)

interface Answer {
  kind: string
  text: string | null
  output: Record<string, unknown>
  files: { path: string; sha256: string; bytes: number }[]
  seed: string
  task: string
  miner: string
}
const run = (...args: string[]) => runCuckooJson<Answer>(['run', ...args], { home })
const toSha256 = (path: string) => `0x${createHash('sha256').update(readFileSync(path)).digest('hex')}`

/** The mean colour of a PNG, -1 to 1, as the tiny model counts it. */
function getMeanColour(path: string): number[] {
  const { data, channels, width, height } = decode(readFileSync(path))
  return [0, 1, 2].map((channel) => {
    let sum = 0
    for (let pixel = 0; pixel < width * height; pixel++) sum += (data[pixel * channels + channel] as number) / 127.5 - 1
    return sum / (width * height)
  })
}

describe('run --image', () => {
  it('keeps the image that the prompt asks for, and its receipt names the file', async () => {
    const answer = await run('--image', at('out.png'), 'red', '--size', '64x64', '--steps', '10', '--guidance', '1', '--seed', '7')
    expect(answer).toMatchObject({ kind: 'image', seed: '7', files: [{ path: at('out.png'), sha256: toSha256(at('out.png')) }] })
    const image = decode(readFileSync(at('out.png')))
    expect([image.width, image.height]).toEqual([64, 64])
    for (const [channel, value] of getMeanColour(at('out.png')).entries()) expect(value).toBeCloseTo((colours['red'] as number[])[channel] as number, 1)

    const receipt = await runCuckooJson<{ verified: boolean; checks: { name: string; ok: boolean }[] }>(
      ['receipt', 'verify', answer.task, '--file', at('out.png')],
      { home },
    )
    expect(receipt.verified).toBe(true)
    expect(receipt.checks.map(({ name }) => name)).toContain(`file ${at('out.png')}`)
    // one byte after the image's end is another file
    writeFileSync(at('altered.png'), Buffer.concat([readFileSync(at('out.png')), Buffer.from([0])]))
    expect(await failCuckoo(['receipt', 'verify', answer.task, '--file', at('altered.png')], { home })).toMatchObject({
      code: 65,
      error: { code: 'CUCKOO_CLI_RECEIPT_INVALID' },
    })
    const shown = await runCuckoo(['receipt', 'show', answer.task], { home })
    expect(shown.stdout).toContain(toSha256(at('out.png')))
    expect(shown.stdout).toMatch(/for 10 image steps/)
  })

  it('numbers several, draws the same from the same seed, and overwrites nothing', async () => {
    const how = ['blue', '--size', '64x64', '--steps', '4', '--count', '2', '--seed', '5']
    const [first, second] = [await run('--image', at('a.png'), ...how), await run('--image', at('b.png'), ...how)]
    expect(first.files.map(({ path }) => path)).toEqual([at('a-1.png'), at('a-2.png')])
    expect(first.files.map(({ sha256 }) => sha256)).toEqual(second.files.map(({ sha256 }) => sha256))
    expect(first.files[0]?.sha256).not.toBe(first.files[1]?.sha256)
    expect(await failCuckoo(['run', '--image', at('a.png'), ...how], { home })).toMatchObject({ code: 2, error: { code: 'CUCKOO_CLI_FILE_EXISTS' } })
  })

  it.each([
    ['a size that the model cannot', ['--size', '63x64'], 'CUCKOO_'],
    ['an option that is for texts', ['--temperature', '1'], 'CUCKOO_RUN_OPTION_UNFIT'],
    ['a model that does not draw', ['--model', 'tiny/speech'], 'CUCKOO_MODEL_KIND_MISMATCH'],
  ])('refuses %s', async (_what, flags, code) => {
    const { code: exit, error } = await failCuckoo(['run', '--image', at('refused.png'), 'red', ...flags], { home })
    expect([exit, error.code]).toEqual([2, expect.stringContaining(code)])
  })
})

describe('run --kind', () => {
  const red = at('red.png')
  const sound = at('sound.wav')
  beforeAll(() => {
    writeFileSync(red, createPicture(8, 8, () => [255, 0, 0]).data)
    writeFileSync(sound, createWav(createTones(16_000, [[440, 1]])).data)
  })

  it('labels an image', async () => {
    const { output } = await run('--kind', 'image-classification', '--file', red, '--param', 'topK=2')
    expect(output).toMatchObject({ labels: [{ label: 'red' }, {}] })
    const { stdout } = await runCuckoo(['run', '--kind', 'image-classification', '--file', red], { home })
    expect(stdout).toMatch(/^0\.99\d {2}red\n/)
  })

  it('translates a text', async () => {
    expect(await run('--kind', 'translation', 'guten tag')).toMatchObject({ kind: 'translation', text: 'good day' })
  })

  it('chooses among labels', async () => {
    const { output } = await run('--kind', 'zero-shot-classification', 'a good day', '--label', 'good', '--label', 'bad')
    expect((output['labels'] as { label: string }[]).map(({ label }) => label).sort()).toEqual(['bad', 'good'])
  })

  it('speaks a text into a file', async () => {
    const { files } = await run('--kind', 'speech', 'abab', '--out', at('spoken.wav'))
    expect(files).toMatchObject([{ path: at('spoken.wav'), sha256: toSha256(at('spoken.wav')) }])
    expect(readFileSync(at('spoken.wav')).subarray(0, 4).toString()).toBe('RIFF')
  })

  it('writes down speech, with the times of words where they are asked for', async () => {
    const { output } = await run('--kind', 'transcription', '--file', sound, '--param', 'timestamps=word', '--param', 'language=en')
    expect(output).toMatchObject({ text: expect.any(String), words: expect.any(Array) })
  })

  it('turns an image into another', async () => {
    const { files, task } = await run('--kind', 'image-to-image', '--file', red, '--out', at('larger.png'))
    expect(decode(readFileSync(files[0]?.path as string)).width).toBeGreaterThan(8)
    const { checks } = await runCuckooJson<{ checks: { detail: string }[] }>(['receipt', 'verify', task, '--file', red, '--file', at('larger.png')], { home })
    expect(checks.slice(-2).map(({ detail }) => detail.slice(68))).toEqual(['of the input', 'of the output'])
  })

  it.each([
    [['--kind', 'transcription'], 'CUCKOO_RUN_INPUT_MISSING'],
    [['--kind', 'speech', 'aba'], 'CUCKOO_RUN_INPUT_MISSING'],
    [['--kind', 'translation', 'guten tag', '--param', 'tongue=fr'], 'CUCKOO_RUN_PARAM_INVALID'],
    [['--kind', 'image-classification', '--file', sound], 'CUCKOO_'],
    [['--kind', 'captioning', '--file', red], 'CUCKOO_RUN_MODEL_MISSING'],
    [['--kind', 'image-classification', '--file', at('nowhere.png')], 'CUCKOO_CLI_FILE_UNREADABLE'],
  ])('refuses %j', async (args, code) => {
    const { code: exit, error } = await failCuckoo(['run', ...args], { home })
    expect(error.code).toContain(code)
    expect([2, 10]).toContain(exit)
  })
})
