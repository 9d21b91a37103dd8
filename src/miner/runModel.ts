import type { OpenModel, RunHooks } from '../domain/enginePort.ts'
import type { MediaFile } from '../domain/media.ts'
import type { StartedTask } from '../domain/storePorts.ts'
import { isPipelineContent, type TaskContent, type TaskOutput, toMaxUnits } from '../domain/task.ts'
import { isError } from '../errors/cuckooError.ts'
import { inferenceWorkerEnded } from '../errors/inference.ts'
import { taskCrashed } from '../errors/miner.ts'
import type { CrashBook } from './crashBook.ts'
import type { ModelShelf } from './modelShelf.ts'

/** What a model made of a task. */
export interface MadeOutput {
  output: TaskOutput
  /** the media that `output` names */
  files: MediaFile[]
  inferenceMs: number
}

export interface RunModelHooks {
  signal: AbortSignal
  /** token ids as they are made, each once */
  onTokens(tokenIds: number[]): void
  /** paid units so far, of kinds that tell */
  onUnits(unitsDone: number): void
  /** media as they are made, of kinds that make several; all of them are in the output too */
  onFile(file: MediaFile): void
}

/**
 * The output of a task in its model, under a mark in the store that stands while the model's worker has it.
 *
 * @throws CUCKOO_MINER_TASK_CRASHED when that worker ended over it: it is not run here again
 * @throws what the shelf and the engine throw, the signal's reason
 */
export async function runModel(
  { shelf, crashes }: { shelf: ModelShelf; crashes: Pick<CrashBook, 'begin' | 'end' | 'addCrash'> },
  task: StartedTask & { content: TaskContent; media: Uint8Array | null; seed: bigint },
  hooks: RunModelHooks,
): Promise<MadeOutput> {
  const { assignmentDigest, content, taskId, model } = task
  const { media, seed, content: _, ...mark } = task
  let isCrash = false
  /** of the run that is marked */
  let letGo: Promise<unknown> | null = null
  const onBegin = async (ended: Promise<unknown>) => {
    letGo = ended
    await crashes.begin(mark)
  }
  const endMark = async (error: unknown) => {
    isCrash = isError(error, inferenceWorkerEnded)
    await (isCrash ? crashes.addCrash(assignmentDigest) : crashes.end(assignmentDigest))
  }
  let sentTokens = 0
  const run = async (open: OpenModel) => {
    // After a run out of memory the same ids are made again.
    let madeTokens = 0
    const onTokens = (tokenIds: number[]) => {
      const fresh = tokenIds.slice(Math.max(0, sentTokens - madeTokens))
      madeTokens += tokenIds.length
      sentTokens += fresh.length
      if (fresh.length > 0) hooks.onTokens(fresh)
    }
    try {
      return await runKind(open, content, media, seed, { ...hooks, onBegin, onTokens })
    } catch (error) {
      const held = letGo
      letGo = null
      // A task that was cancelled is over at once; its worker still has it, and can still end over it.
      if (held !== null && hooks.signal.aborted) void held.then(endMark, endMark).catch(() => undefined)
      else if (held !== null) await endMark(error)
      throw error
    }
  }
  try {
    return await shelf.run(mark.manifest, run, hooks.signal)
  } catch (error) {
    throw isCrash ? taskCrashed({ taskId, model }, { cause: error }) : error
  }
}

type KindHooks = RunModelHooks & Required<RunHooks>

async function runKind(model: OpenModel, content: TaskContent, media: Uint8Array | null, seed: bigint, hooks: KindHooks): Promise<MadeOutput> {
  const { signal, onBegin, onTokens } = hooks
  if (content.kind === 'embedding') return toMade(await model.embed(content.input, content.params, { signal, onBegin }))
  if (content.kind === 'image') {
    const units = Number(toMaxUnits(content))
    const onStep = (done: number, steps: number) => hooks.onUnits(Math.floor(units * Math.min(1, done / steps)))
    return toMade(await model.generateImages(content.input, content.params, seed, { signal, onBegin, onStep, onFile: hooks.onFile }))
  }
  if (isPipelineContent(content)) return toMade(await model.runPipeline(content, media, { signal, onBegin }))
  return toMade(await model.generateText(content.input, content.params, seed, { signal, onBegin, onTokens }))
}

function toMade({ output, files = [], totalMs }: { output: TaskOutput; files?: MediaFile[]; totalMs: number }): MadeOutput {
  return { output, files, inferenceMs: totalMs }
}
