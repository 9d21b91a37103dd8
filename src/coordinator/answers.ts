import type { RouteOutput } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'
import { toPrice } from '../domain/receipt.ts'
import type { TaskRecord } from '../domain/storePorts.ts'
import type { TaskContent, TaskOutput } from '../domain/task.ts'
import { cutAtStop } from '../domain/text.ts'
import { contentDeleted, draining, taskCancelled, taskDead, taskFailed, taskTimedOut } from '../errors/api.ts'
import { type CuckooError, isError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { Catalogue } from './catalogue.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import { countInputTokens } from './countInputTokens.ts'
import type { TaskContents } from './taskContents.ts'

interface Parts {
  ports: CoordinatorPorts
  catalogue: Catalogue
  contents: TaskContents
}

/** What a task that is done says, with what it took. */
export interface Answer {
  content: TaskContent
  output: TaskOutput
  /** null where the output has none */
  text: string | null
  promptTokens: number
  outputTokens: number
}

/** The output of a task that is done, its text derived from the token ids. */
export async function getAnswer(parts: Parts, record: TaskRecord): Promise<Answer> {
  const [content, output] = await Promise.all([parts.contents.read(record), parts.contents.findOutput(record) as Promise<TaskOutput>])
  return {
    content,
    output,
    text: await findText(parts, record, content, output),
    promptTokens: countInputTokens(content),
    outputTokens: 'tokenIds' in output ? output.tokenIds.length : 0,
  }
}

async function findText(parts: Parts, record: TaskRecord, { params }: TaskContent, output: TaskOutput): Promise<string | null> {
  if (!('tokenIds' in output)) return 'text' in output ? output.text : null
  const tokenizer = await parts.catalogue.getTokenizer(record.manifest)
  return cutAtStop(await tokenizer.decode(output.tokenIds), 'stop' in params ? params.stop : [])
}

/** Why a task that is not done has no answer, as the app is told. */
export function toTaskError(record: TaskRecord, facts: { waitedMs: number; isDraining: boolean }): CuckooError {
  const taskId = record.id
  const failures = record.failures.map((failure) => `attempt ${failure.attempt} by ${failure.miner}: ${failure.message} (${failure.code})`).join('; ')
  switch (record.state) {
    case 'dead':
      return taskDead({ taskId, failures })
    case 'failed':
      return taskFailed({ taskId, reason: record.failures.at(-1)?.message ?? 'no reason was given' })
    case 'cancelled':
      return taskCancelled({ taskId })
    default:
      return facts.isDraining ? draining({}) : taskTimedOut({ taskId, waitedMs: facts.waitedMs })
  }
}

/** The headers that name the task, and once it is done, who answered and the receipt. */
export function toTaskHeaders(record: TaskRecord): Record<string, string> {
  const done: Record<string, string> = record.state === 'done' && record.miner !== null ? { 'x-cuckoo-miner': record.miner, 'x-cuckoo-receipt': record.id } : {}
  return { 'x-cuckoo-task': record.id, ...done }
}

/** The task as apps see it; text and output once it is done. */
export async function toTaskView(parts: Parts, record: TaskRecord): Promise<RouteOutput<Routes['getTask']>> {
  const answer = record.state === 'done' ? await getViewAnswer(parts, record) : null
  const { receipt, finishedAtMs } = record
  return {
    id: record.id,
    state: record.state,
    model: record.model,
    manifest: record.manifest,
    kind: record.kind,
    attempt: record.attempt,
    miner: record.miner,
    createdAt: Math.floor(record.createdAtMs / 1000),
    finishedAt: finishedAtMs === null ? null : Math.floor(finishedAtMs / 1000),
    unitPriceWei: record.unitPriceWei,
    maxPriceWei: record.maxPriceWei,
    priceWei: receipt === null ? null : toPrice(receipt),
    failures: record.failures,
    text: answer?.text ?? null,
    output: answer?.output ?? null,
    receipt,
  }
}

// A tokenizer that does not open any more must not hide the output: text is derived, ids are the evidence.
async function getViewAnswer(parts: Parts, record: TaskRecord): Promise<Pick<Answer, 'text' | 'output'>> {
  try {
    return await getAnswer(parts, record)
  } catch (error) {
    if (isError(error, contentDeleted)) throw error
    parts.ports.logger.warn({ err: toCuckooError(error), taskId: record.id }, 'the text of a task could not be derived')
    return { text: null, output: (await parts.contents.findOutput(record)) as TaskOutput }
  }
}
