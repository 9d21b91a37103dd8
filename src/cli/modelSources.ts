import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { DeviceName, ModelSource } from '../domain/enginePort.ts'
import { type Dtype, dtypes } from '../domain/manifest.ts'
import { type ModelKind, modelKinds } from '../domain/taskKinds.ts'
import { valueInvalid } from '../errors/cli.ts'
import { modelNotFound } from '../errors/inference.ts'
import type { OfferedModel } from '../miner/modelShelf.ts'
import type { Context } from './context.ts'

interface ModelOptions {
  model: readonly string[]
  modelsDir?: string | undefined
  dtype: Dtype
  device: DeviceName | 'auto'
}

/** A model as a person types it. */
export interface TypedModel {
  model: string
  dtype: Dtype | null
  kind: ModelKind | null
  /** branch, tag or commit */
  revision: string | null
}

/**
 * Where each named model is: in `--models-dir`, among those that ship with cuckoo, else on the hub at a commit. A branch is
 * resolved once on this machine, which is said.
 * @throws CUCKOO_CLI_VALUE_INVALID for a name that is not like owner/model:q8#translation@commit
 * @throws CUCKOO_HUB_OFFLINE, CUCKOO_HUB_UNREACHABLE, CUCKOO_HUB_MODEL_UNKNOWN for a branch that was never resolved
 */
export async function findModelSources(context: Context<never>, options: ModelOptions): Promise<OfferedModel[]> {
  const offers: OfferedModel[] = []
  for (const text of options.model) {
    const typed = parseModel(text, context.command, '--model')
    const source = await findModelSource(context, typed, options.modelsDir)
    const kind = typed.kind === null ? {} : { kind: typed.kind }
    offers.push({ model: typed.model, source: await pinSource(context, typed, source), dtype: typed.dtype ?? options.dtype, ...kind, device: options.device })
  }
  return offers
}

/**
 * Where a model is: in the folder `modelsDir`, among those that ship with cuckoo (unless a revision is named), else on the hub.
 * A mistyped name of a model that ships is not looked for on the hub.
 * @throws CUCKOO_CLI_VALUE_INVALID for a `modelsDir` that is no folder
 * @throws CUCKOO_MODEL_NOT_FOUND for a name with the owner of those that ship, naming them
 */
export async function findModelSource(context: Context<never>, { model, revision }: TypedModel, modelsDir: string | undefined): Promise<ModelSource> {
  if (modelsDir !== undefined && !(await isFolder(modelsDir)))
    throw valueInvalid({ name: 'folder of models', value: modelsDir, problem: 'is not a folder', command: context.command })
  if (modelsDir !== undefined && (await isFolder(join(modelsDir, model)))) return { from: 'folder', directory: resolve(modelsDir) }
  if (revision !== null) return { from: 'hub', revision }
  const bundled = (await (await context.ports.getEngine()).listBundledModels()).map((entry) => entry.model)
  if (bundled.includes(model)) return { from: 'bundled' }
  const owner = model.slice(0, model.indexOf('/') + 1)
  if (bundled.some((name) => name.startsWith(owner))) throw modelNotFound({ model, where: 'the models that ship with cuckoo', known: bundled.join(', ') })
  return { from: 'hub', revision }
}

async function pinSource(context: Context<never>, { model }: TypedModel, source: ModelSource): Promise<ModelSource> {
  if (source.from !== 'hub' || (source.revision !== null && /^[0-9a-f]{40}$/.test(source.revision))) return source
  const revision = await (await context.ports.getModelCache()).resolve(model, source.revision, context.signal)
  context.output.note(`${model}: ${source.revision ?? 'main'} is commit ${revision.slice(0, 12)} on this machine; \`cuckoo models pull\` moves it.`)
  return { from: 'hub', revision }
}

/**
 * A model's name with what follows it: `owner/model[:dtype][#kind][@revision]`.
 * @throws CUCKOO_CLI_VALUE_INVALID
 * @example parseModel('owner/t5:q8#translation@main', 'cuckoo miner start') // { model: 'owner/t5', dtype: 'q8', kind: 'translation', revision: 'main' }
 */
export function parseModel(text: string, command: string, name = 'model'): TypedModel {
  const refuse = (problem: string) => valueInvalid({ name, value: text.slice(0, 200), problem, command })
  const match = /^([^/:@#]+\/[^/:@#]+)(?::([a-z0-9]+))?(?:#([a-z0-9-]+))?(?:@(.+))?$/.exec(text)
  if (match === null) throw refuse('is not like owner/model, owner/model:q8, owner/model#translation or owner/model@commit')
  const [, model, dtype = null, kind = null, revision = null] = match as unknown as [string, string, Dtype?, ModelKind?, string?]
  if (dtype !== null && !dtypes.includes(dtype)) throw refuse(`has no dtype of ${dtypes.join(', ')}`)
  if (kind !== null && !modelKinds.includes(kind)) throw refuse(`has no kind of ${modelKinds.join(', ')}`)
  return { model, dtype, kind, revision }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() === true
}
