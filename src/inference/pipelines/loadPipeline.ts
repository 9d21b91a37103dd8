import type { Tokenizer } from '@huggingface/tokenizers'
import type { PreTrainedModel, PreTrainedTokenizer, Processor } from '@huggingface/transformers'
import * as transformers from '@huggingface/transformers'
import type { PipelineKind } from '../../domain/taskKinds.ts'
import { modelLoadFailed, modelUnsupported } from '../../errors/inference.ts'
import { assertFinite, type NumberTensor } from '../assertFinite.ts'
import { loadModel, type ModelToLoad, toReason } from '../loadModel.ts'
import { readJsonFile } from '../modelFolder.ts'
import { guardTokenizer } from '../tokenizerGuard.ts'
import type { Json, LoadedPipeline } from './pipelineRow.ts'
import { findVariant, pipelineTable } from './pipelineTable.ts'

interface PipelineClass {
  new (parts: { task: string; model: PreTrainedModel; tokenizer: PreTrainedTokenizer | null; processor: Processor | null }): LoadedPipeline['call']
}

/** Where classes are looked up by the names of the table. */
const classes = transformers as unknown as Record<string, PipelineClass & Parameters<typeof loadModel>[0]>

/**
 * The parts of a pipeline, loaded from the verified folder and put together as transformers.js' `pipeline()` does, which itself
 * would ask the hub which files there are. Runs throw CUCKOO_INFERENCE_NOT_FINITE where a pass gives what no result can be made of.
 * @param beforePass called before every pass through the model; what it throws ends the run
 * @throws CUCKOO_MODEL_LOAD_FAILED, CUCKOO_MODEL_UNSUPPORTED
 */
export async function loadPipeline(
  request: ModelToLoad & { kind: PipelineKind },
  beforePass: () => void,
): Promise<{ model: LoadedPipeline; dispose: () => Promise<void> }> {
  const { kind, manifest, device } = request
  const folder = { model: manifest.model, path: request.folder, refuseHardLinks: false }
  const [config = {}, generation = {}, preprocessor = {}] = await Promise.all(
    ['config.json', 'generation_config.json', 'preprocessor_config.json'].map((file) => readJsonFile(folder, file)),
  )
  const row = pipelineTable[kind]
  const variant = findVariant(kind, config)
  if (variant === undefined) throw modelUnsupported({ model: manifest.model, reason: `its architecture does no ${kind}` })
  const model = await loadModel(classes[variant.model] as Parameters<typeof loadModel>[0], request)
  try {
    const { tokenizer, processor } = await loadParts(request, row.files)
    const forward = model.forward.bind(model)
    const readings = Object.entries(row.reads(generation))
    model.forward = async (inputs) => {
      beforePass()
      const outputs = (await forward(inputs)) as Record<string, NumberTensor | undefined>
      for (const [name, reading] of readings) {
        const output = outputs[name]
        if (output !== undefined) assertFinite(output, reading, { model: manifest.model, part: name, dtype: manifest.dtype, device })
      }
      return outputs
    }
    row.prepare?.(model)
    const Pipeline = classes[row.pipeline] as PipelineClass
    const call = new Pipeline({ task: row.task, model, tokenizer, processor })
    return { model: toLoaded({ call, model, tokenizer, processor, config, generation, preprocessor }), dispose: async () => void (await model.dispose()) }
  } catch (error) {
    await model.dispose()
    throw modelLoadFailed({ model: manifest.model, device, reason: toReason(error) }, { cause: error })
  }
}

async function loadParts(
  { folder, tokenizerGuard }: ModelToLoad,
  files: readonly string[],
): Promise<{ tokenizer: PreTrainedTokenizer | null; processor: Processor | null }> {
  const options = { local_files_only: true }
  const [tokenizer, processor] = await Promise.all([
    files.includes('tokenizer.json') ? transformers.AutoTokenizer.from_pretrained(folder, options) : null,
    files.includes('preprocessor_config.json') ? transformers.AutoProcessor.from_pretrained(folder, options) : null,
  ])
  // What is under transformers.js' class, for the pipelines' own calls too.
  if (tokenizer !== null) guardTokenizer((tokenizer as unknown as { _tokenizer: Tokenizer })._tokenizer, tokenizerGuard)
  return { tokenizer, processor }
}

interface LoadedParts {
  call: LoadedPipeline['call']
  model: PreTrainedModel
  tokenizer: PreTrainedTokenizer | null
  processor: Processor | null
  config: Json
  generation: Json
  preprocessor: Json
}

function toLoaded({ model, tokenizer, processor, ...parts }: LoadedParts): LoadedPipeline {
  const sessions = Object.values(model.sessions as Record<string, { outputNames: string[] }>)
  return {
    ...parts,
    forward: (inputs) => model.forward(inputs) as Promise<Json>,
    extractFeatures: async (audio) => (await processor?.(audio)) as Json,
    outputs: sessions.flatMap(({ outputNames }) => outputNames),
    encode: (text, pair) => {
      if (tokenizer === null) return []
      return (tokenizer(text, { ...(pair !== undefined && { text_pair: pair }), return_tensor: false }) as { input_ids: number[] }).input_ids
    },
    languages: (tokenizer as unknown as { language_codes?: string[] } | null)?.language_codes ?? [],
  }
}
