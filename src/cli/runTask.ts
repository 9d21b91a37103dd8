import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { z } from 'zod'
import type { Client } from '../api/client.ts'
import { zTaskOutput } from '../api/kindSchemas.ts'
import type { RouteOutput } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'
import { zTaskKind } from '../api/wire.ts'
import { sha256 } from '../domain/canonical.ts'
import type { Hash } from '../domain/hex.ts'
import { listOutputMedia, openTaskStates } from '../domain/task.ts'
import { responseInvalid, taskDead, taskFailed } from '../errors/api.ts'
import { fileExists } from '../errors/cli.ts'
import { runCancelled, runModelMissing } from '../errors/run.ts'
import { createAppClient } from './appClient.ts'
import type { Context } from './context.ts'
import { assertWritable, readBytes, writeNewFile } from './files.ts'
import { formatShort } from './format.ts'
import { zHash, zWei } from './schemas.ts'
import { assertDraft, type TaskDraft, toOutPath, toTaskRequest } from './taskRequest.ts'

type Task = RouteOutput<Routes['getTask']>
type Model = RouteOutput<Routes['listModels']>['data'][number]
type TaskEvent = { type: 'state'; task: Task } | { type: 'progress'; attempt: number; done: number; total: number } | { type: 'text' }

export const zTaskAnswer = z.object({
  model: z.string(),
  kind: zTaskKind,
  text: z.string().nullable(),
  output: zTaskOutput,
  files: z.array(z.object({ path: z.string(), sha256: zHash, bytes: z.int() })).describe('media of the output, written here'),
  seed: z.string().describe('what the answer was drawn with'),
  seconds: z.number(),
  priceWei: zWei,
  task: z.string(),
  miner: z.string(),
  receipt: z.string(),
})
export type TaskAnswer = z.output<typeof zTaskAnswer>

/**
 * Sends one task of any kind, shows how far it is in a spinner, and resolves with the answer, its media written to files.
 * @throws CUCKOO_RUN_INPUT_MISSING, CUCKOO_RUN_PARAM_INVALID, CUCKOO_CLI_FILE_EXISTS, CUCKOO_CLI_FOLDER_MISSING before anything is sent
 * @throws CUCKOO_TASK_FAILED, CUCKOO_TASK_DEAD, CUCKOO_RUN_CANCELLED
 */
export async function runTask(draft: TaskDraft, context: Context<never>): Promise<TaskAnswer> {
  const { kind, options } = draft
  assertDraft(draft)
  const out = toOutPath(options)
  const paths = out === undefined ? [] : toPaths(out, options.count ?? 1)
  for (const path of paths) if (existsSync(path)) throw fileExists({ path })
  if (out !== undefined) await assertWritable(out)
  const data = options.file === undefined ? null : await readBytes(options.file)
  const { client } = await createAppClient(context, options)
  const startedAt = performance.now()
  const spinner = await context.output.spin('waiting for a miner')
  try {
    const model = await chooseModel(client, draft, context.signal)
    const media = data === null ? null : (await client.uploadMedia({ body: data }, { signal: context.signal })).sha256
    const { task: created } = await client.createTask({ body: { ...toTaskRequest(draft, model.id, media), dryRun: false } }, { signal: context.signal })
    if (created === null) throw responseInvalid({ route: 'createTask', problem: 'it holds no task' })
    const steps = options.steps ?? model.image?.steps ?? null
    const task = await waitForTask(client, created.id, context, (event) => spinner.update(formatProgress(event, steps)))
    const { output, receipt, miner, text } = task
    if (output === null || receipt === null || miner === null) throw responseInvalid({ route: 'getTask', problem: 'a done task has no receipt' })
    const files = await saveMedia(client, listOutputMedia(output), paths, context.signal)
    return {
      model: task.model,
      kind,
      text,
      output,
      files,
      seed: receipt.assignment.seed.toString(),
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
      priceWei: task.priceWei ?? 0n,
      task: task.id,
      miner,
      receipt: task.id,
    }
  } finally {
    spinner.stop()
  }
}

/** @example toPaths('out.png', 2) // ['out-1.png', 'out-2.png'] */
function toPaths(out: string, count: number): string[] {
  if (count === 1) return [out]
  const extension = extname(out)
  const stem = out.slice(0, out.length - extension.length)
  return Array.from({ length: count }, (_, index) => `${stem}-${index + 1}${extension}`)
}

/** The model that was named, or the first that does tasks of this kind. An unknown one goes to the coordinator, which refuses it. */
async function chooseModel(client: Client, { kind, options }: TaskDraft, signal: AbortSignal): Promise<{ id: string; image: Model['cuckoo']['image'] }> {
  const { data } = await client.listModels({}, { signal })
  const fitting = data.filter(({ cuckoo }) => cuckoo.tasks.includes(kind))
  const found = options.model === undefined ? fitting[0] : data.find(({ id }) => id === options.model)
  if (found !== undefined) return { id: found.id, image: found.cuckoo.image }
  if (options.model === undefined) throw runModelMissing({ kind, known: data.map(({ id }) => id).join(', ') })
  return { id: options.model, image: null }
}

async function waitForTask(client: Client, id: Hash, { signal }: Context<never>, onEvent: (event: TaskEvent) => void): Promise<Task> {
  try {
    for await (const event of client.stream.watchTask({ params: { id } }, { signal })) {
      onEvent(event)
      if (event.type === 'state' && !openTaskStates.includes(event.task.state)) break
    }
  } catch (error) {
    // Nobody waits for it any more, and it would be paid for.
    if (signal.aborted) await client.cancelTask({ params: { id } }, { timeoutMs: 2_000 }).catch(() => undefined)
    throw error
  }
  const task = await client.getTask({ params: { id }, query: { waitMs: 600_000 } }, { signal })
  if (task.state === 'done') return task
  if (task.state === 'cancelled') throw runCancelled({ taskId: id })
  const failures = task.failures.map(({ miner, message }) => `${formatShort(miner)}: ${message}`).join('; ')
  throw task.state === 'dead' ? taskDead({ taskId: id, failures }) : taskFailed({ taskId: id, reason: failures || task.state })
}

/** `steps`: steps of an image; null where the work has none, and its part is told in percent. */
function formatProgress(event: TaskEvent, steps: number | null): string {
  if (event.type === 'progress') {
    const share = event.total === 0 ? 0 : event.done / event.total
    return steps === null ? `${Math.floor(100 * share)} %` : `step ${Math.floor(share * steps)} of ${steps}`
  }
  if (event.type === 'state' && event.task.miner !== null) return `miner ${formatShort(event.task.miner)} has it`
  return 'waiting for a miner'
}

/** Fetches media by their SHA-256, checks that it is theirs, and writes each to its path. */
async function saveMedia(client: Client, media: readonly { sha256: Hash }[], paths: readonly string[], signal: AbortSignal): Promise<TaskAnswer['files']> {
  const files: TaskAnswer['files'] = []
  for (const [index, { sha256: hash }] of media.entries()) {
    const path = paths[index]
    if (path === undefined) throw responseInvalid({ route: 'getTask', problem: `it names ${media.length} media, ${paths.length} were asked for` })
    const bytes = await client.getMedia({ params: { hash } }, { signal })
    if (sha256(bytes) !== hash) throw responseInvalid({ route: 'getMedia', problem: `its bytes have the SHA-256 ${sha256(bytes)}, not ${hash}` })
    await writeNewFile(path, bytes)
    files.push({ path, sha256: hash, bytes: bytes.length })
  }
  return files
}
