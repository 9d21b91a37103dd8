import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { DeviceName, ModelSource } from '../domain/enginePort.ts'
import { type Dtype, dtypes } from '../domain/manifest.ts'
import { valueInvalid } from '../errors/cli.ts'
import type { OfferedModel } from '../miner/loadModels.ts'
import type { Context } from './context.ts'

interface ModelOptions {
  model: readonly string[]
  modelsDir?: string | undefined
  dtype: Dtype
  device: DeviceName | 'auto'
}

/**
 * Where each named model is: in `--models-dir`, among those that ship with cuckoo, else on the hub.
 * @throws CUCKOO_CLI_VALUE_INVALID for a name that is not like owner/model, owner/model:q8 or owner/model@commit
 */
export async function findModelSources(context: Context<never>, options: ModelOptions): Promise<OfferedModel[]> {
  if (options.model.length === 0) return []
  const bundled = (await (await context.ports.getEngine()).listBundledModels()).map(({ model }) => model)
  return Promise.all(
    options.model.map(async (text) => {
      const { model, dtype, revision } = parseModel(text, context.command)
      const source: ModelSource =
        options.modelsDir !== undefined && (await isFolder(join(options.modelsDir, model)))
          ? { from: 'folder', directory: resolve(options.modelsDir) }
          : bundled.includes(model) && revision === null
            ? { from: 'bundled' }
            : { from: 'hub', revision }
      return { model, source, dtype: dtype ?? options.dtype, device: options.device }
    }),
  )
}

/** @example parseModel('owner/model:q8@main', 'cuckoo miner start') // { model: 'owner/model', dtype: 'q8', revision: 'main' } */
export function parseModel(text: string, command: string): { model: string; dtype: Dtype | null; revision: string | null } {
  const match = /^([^/:@]+\/[^/:@]+)(?::([a-z0-9]+))?(?:@(.+))?$/.exec(text)
  const dtype = (match?.[2] ?? null) as Dtype | null
  if (match === null) throw valueInvalid({ name: '--model', value: text, problem: 'is not like owner/model, owner/model:q8 or owner/model@commit', command })
  if (dtype !== null && !dtypes.includes(dtype)) throw valueInvalid({ name: '--model', value: text, problem: `has no dtype of ${dtypes.join(', ')}`, command })
  return { model: match[1] as string, dtype, revision: match[3] ?? null }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() === true
}
