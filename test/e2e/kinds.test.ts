import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OutputOf } from '../../src/api/kindSchemas.ts'
import type { DevnetState } from '../../src/devnet/devnetState.ts'
import { listOutputMedia, type TaskContent, type TaskOutput } from '../../src/domain/task.ts'
import { pipelineKinds, type TaskKind, taskKinds, taskKindTraits } from '../../src/domain/taskKinds.ts'
import { failCuckoo, type RunningCuckoo, runCuckooJson, startCuckoo } from '../support/cuckoo.ts'
import { toDiffusersModelFiles } from '../support/diffusersModel.ts'
import {
  type Answer,
  type Change,
  type Expected,
  type Fields,
  isFile,
  type KindCase,
  kindCases,
  type OwnRoute,
  toDataUrl,
  toSha256,
} from '../support/kindCases.ts'
import { createPicture } from '../support/mediaFiles.ts'
import { toEmbeddingModelFiles, writeModelFiles } from '../support/onnx.ts'
import { writeTinyModel } from '../support/tinyModels.ts'

/** One network of processes, whose miner runs a model of every kind. What is asked of it comes over HTTP alone. */
const home = mkdtempSync(join(tmpdir(), 'cuckoo-e2e-kinds-'))
const models = [...new Set(Object.values(kindCases).map(({ model }) => model))]
let devnet: RunningCuckoo
let state: DevnetState
let apiKey: string

beforeAll(async () => {
  const directory = join(home, 'models')
  writeModelFiles(join(directory, 'tiny/colours'), toDiffusersModelFiles())
  writeModelFiles(join(directory, 'tiny/words'), toEmbeddingModelFiles())
  for (const kind of pipelineKinds) await writeTinyModel(directory, kind)
  const flags = ['--rpc-port', '0', '--port', '0', '--miner-bond', '21000', '--models-dir', directory]
  devnet = startCuckoo(['devnet', 'start', ...flags, ...models.flatMap((model) => ['--model', model])], { home })
  ;({ state } = (await devnet.waitFor((event) => event['event'] === 'ready', 180_000)) as unknown as { state: DevnetState })
  apiKey = readFileSync(state.apiKeyFile, 'utf8').trim()
}, 200_000)

afterAll(async () => {
  await devnet?.stop()
  rmSync(home, { recursive: true, force: true })
}, 60_000)

function send(path: string, body: object | FormData | Uint8Array): Promise<Response> {
  const isJson = !(body instanceof FormData || body instanceof Uint8Array)
  const headers = { authorization: `Bearer ${apiKey}`, ...(isJson && { 'content-type': 'application/json' }) }
  return fetch(`${state.coordinator.url}${path}`, { method: 'POST', headers, body: isJson ? JSON.stringify(body) : (body as FormData) })
}

interface TaskView {
  id: string
  kind: TaskKind
  state: string
  miner: string | null
  text: string | null
  output: TaskOutput | null
  failures: { code: string; message: string }[]
}

/** POST /v1/tasks, until the task has ended. */
function askNatively(kind: TaskKind, change: Change = {}): Promise<Response> {
  const { model, input, params, seed } = kindCases[kind] as KindCase<TaskKind>
  return send('/v1/tasks?waitMs=60000', { kind, model, input: isFile(input) ? { media: toDataUrl(input) } : input, params, seed, ...change })
}

async function getAnswer(response: Response): Promise<Answer<TaskKind>> {
  const { task } = (await response.json()) as { task: TaskView | null }
  expect(task).toMatchObject({ state: 'done', failures: [], miner: state.miners[0]?.node })
  const { id, text, output } = task as TaskView
  const files = await Promise.all(
    listOutputMedia(output as TaskOutput).map(async ({ sha256, bytes, type }) => {
      const media = await fetch(`${state.coordinator.url}/v1/media/${sha256}`)
      const data = new Uint8Array(await media.arrayBuffer())
      expect([media.headers.get('content-type'), data.length, toSha256(data)]).toEqual([type, bytes, sha256])
      return data
    }),
  )
  return { id, text, output: output as OutputOf<TaskKind>, files }
}

function askOwn(kind: TaskKind, change: Fields = {}): Promise<Response> {
  const { model, own } = kindCases[kind] as KindCase<TaskKind>
  const fields = { model, ...own?.body, ...change }
  const { apiPath } = taskKindTraits[kind]
  if (!Object.values(fields).some(isFile)) return send(apiPath, fields)
  const form = new FormData()
  for (const [name, value] of Object.entries(fields))
    if (isFile(value)) form.append(name, new Blob([new Uint8Array(value.data)], { type: value.media.type }), 'sound.wav')
    else form.append(name, String(value))
  return send(apiPath, form)
}

async function assertRefused(response: Response, [status, code, message]: Expected): Promise<void> {
  const { task, error } = (await response.json()) as { task?: TaskView; error?: { code: string; message: string } }
  const found = status === 'failed' ? task?.failures : [error]
  expect({ status: task?.state ?? response.status, found }).toEqual({ status, found: [expect.objectContaining({ code })] })
  expect(found?.[0]?.message).toMatch(message)
}

describe.each(taskKinds)('%s', (kind) => {
  const { input, check, refused, own } = kindCases[kind] as KindCase<TaskKind>
  let first: Answer<TaskKind>

  it.each(refused.map(([change, expected]) => ({ change, expected })))('is refused: $expected.0 $expected.1', async ({ change, expected }) => {
    await assertRefused(await askNatively(kind, change), expected)
  })

  it('is answered with what its graph gives, and the receipt holds it', async () => {
    first = await getAnswer(await askNatively(kind))
    await check(first)
    if (isFile(input)) {
      const uploaded = await send('/v1/media', input.data)
      expect(await uploaded.json()).toEqual(input.media)
      const named = await getAnswer(await askNatively(kind, { input: { media: { sha256: input.media.sha256 } } }))
      expect([named.output, named.files]).toEqual([first.output, first.files])
    }
    expect(first.files).toHaveLength(taskKindTraits[kind].gives === null ? 0 : 1)
    const { content, output } = await getReceipt(first.id)
    expect({ kind: content.kind, output }).toEqual({ kind, output: first.output })
  })

  const { apiPath } = taskKindTraits[kind]
  if (apiPath !== '/v1/tasks')
    it(`is answered and refused at ${apiPath}`, async () => {
      const { check, refused } = own as OwnRoute<TaskKind>
      const response = await askOwn(kind)
      expect(response.status).toBe(200)
      await check(response, first)
      await assertRefused(await askOwn(kind, refused[0]), refused[1])
    })
})

async function getReceipt(id: string): Promise<{ content: TaskContent; output: TaskOutput }> {
  const response = await fetch(`${state.coordinator.url}/v1/tasks/${id}/receipt`, { headers: { authorization: `Bearer ${apiKey}` } })
  return (await response.json()) as { content: TaskContent; output: TaskOutput }
}

it('the receipt of a kind with media is signed by both sides, and names what went in and what came out', async () => {
  const [given, other] = [createPicture(6, 4, (x) => [x * 40, 0, 0]), createPicture(6, 4, () => [0, 0, 0])]
  const { id, files } = await getAnswer(await askNatively('depth-estimation', { input: { media: toDataUrl(given) } }))
  const paths = ['in.png', 'out.png', 'other.png'].map((name) => join(home, name)) as [string, string, string]
  for (const [index, data] of [given.data, files[0] as Uint8Array, other.data].entries()) writeFileSync(paths[index] as string, data)
  const toFlags = (...chosen: string[]) => ['receipt', 'verify', id, ...chosen.flatMap((path) => ['--file', path])]
  const { verified, checks } = await runCuckooJson<{ verified: boolean; checks: { detail: string }[] }>(toFlags(paths[0], paths[1]), { home })
  expect([verified, ...checks.slice(-2).map(({ detail }) => detail)]).toEqual([
    true,
    `${given.media.sha256}, of the input`,
    `${toSha256(files[0] as Uint8Array)}, of the output`,
  ])
  expect(await failCuckoo(toFlags(paths[2]), { home })).toMatchObject({ code: 65, error: { code: 'CUCKOO_CLI_RECEIPT_INVALID' } })
})

it('after all of it the miner has its session, and every model is there', async () => {
  const status = await runCuckooJson<{ phase: string; coordinators: { session: string }[]; models: { state: string }[] }>(['miner', 'status'], { home })
  expect(status).toMatchObject({ phase: 'running', coordinators: [{ session: 'open' }] })
  expect(status.models.map((model) => model.state)).toEqual(models.map(() => 'loaded'))
})
