import type { Engine, OpenModel, OpenModelRequest } from '../domain/enginePort.ts'
import { isError } from '../errors/cuckooError.ts'
import { inferenceWorkerEnded } from '../errors/inference.ts'
import { minerModelUnusable } from '../errors/miner.ts'

/**
 * An open model that outlives its worker: a run that ends the worker fails with CUCKOO_INFERENCE_WORKER_ENDED as always, and the
 * model is opened again for the runs after it. Without that, a miner would go on taking tasks and fail each of them.
 *
 * @throws what `engine.openModel` throws
 */
export async function openLastingModel(engine: Engine, request: OpenModelRequest): Promise<OpenModel> {
  const first = await engine.openModel(request)
  let latest = first
  let current: Promise<OpenModel> | null = Promise.resolve(first)
  let isDisposed = false

  async function reopen(): Promise<OpenModel> {
    await latest.dispose().catch(() => undefined)
    const { signal: _, ...again } = request
    const next = await engine.openModel(again)
    if (isDisposed || next.manifestDigest !== first.manifestDigest) {
      await next.dispose()
      throw minerModelUnusable({ model: request.model, reason: isDisposed ? 'it was closed' : 'its files have changed since the start' })
    }
    latest = next
    return next
  }

  async function run<T>(work: (model: OpenModel) => Promise<T>): Promise<T> {
    current ??= reopen()
    const opening = current
    const model = await opening.catch((error: unknown) => {
      if (current === opening) current = null
      throw error
    })
    try {
      return await work(model)
    } catch (error) {
      if (isError(error, inferenceWorkerEnded) && current === opening) current = null
      throw error
    }
  }

  return {
    manifest: first.manifest,
    manifestDigest: first.manifestDigest,
    device: first.device,
    deviceReason: first.deviceReason,
    get tokenizer() {
      return latest.tokenizer
    },
    generateText: (input, params, seed, hooks) => run((model) => model.generateText(input, params, seed, hooks)),
    embed: (input, params, hooks) => run((model) => model.embed(input, params, hooks)),
    generateImages: (input, params, seed, hooks) => run((model) => model.generateImages(input, params, seed, hooks)),
    runPipeline: (content, media, hooks) => run((model) => model.runPipeline(content, media, hooks)),
    readFile: (path) => latest.readFile(path),
    async dispose() {
      isDisposed = true
      await latest.dispose()
    },
  }
}
