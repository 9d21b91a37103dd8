import { env, LogLevel, type PreTrainedModel, Tensor } from '@huggingface/transformers'
import type { DeviceName } from '../domain/enginePort.ts'
import type { Manifest } from '../domain/manifest.ts'
import { inferenceInputInvalid, modelLoadFailed, tokenOutOfVocabulary } from '../errors/inference.ts'
import { countThreads } from './countThreads.ts'
import { type RuntimeSession, toFloatSession } from './toFloatSession.ts'
import type { TokenizerGuard } from './tokenizerGuard.ts'

// Models come from the verified folder and nowhere else; what the library says goes into errors, not to the screen.
env.allowRemoteModels = false
env.allowLocalModels = true
env.useFSCache = false
env.useBrowserCache = false
env.useCustomCache = false
env.logLevel = LogLevel.NONE

export interface ModelToLoad {
  /** absolute path of the verified folder */
  folder: string
  manifest: Manifest
  device: DeviceName
  /** tells of the calls of its tokenizer; absent: nobody watches them */
  tokenizerGuard?: TokenizerGuard
}

interface ModelClass {
  from_pretrained(folder: string, options: Record<string, unknown>): Promise<PreTrainedModel>
}

const threads = countThreads()

// Idle threads sleep instead of spinning: they would take the cores from the miner's own network work and from models beside this
// one. Measured on two busy cores: half the CPU time per token, the same best speed.
export const sessionOptions = {
  ...(threads !== undefined && { intraOpNumThreads: threads }),
  extra: { session: { intra_op: { allow_spinning: '0' } } },
}

/**
 * The model loaded on its device.
 * @throws CUCKOO_MODEL_LOAD_FAILED with the runtime's reason
 */
export async function loadModel(modelClass: ModelClass, { folder, manifest, device }: ModelToLoad): Promise<PreTrainedModel> {
  try {
    const model = await modelClass.from_pretrained(folder, {
      device,
      dtype: manifest.dtype,
      local_files_only: true,
      // The runtime finds external data by the names in the graph; config.json may name files of another dtype.
      use_external_data_format: false,
      session_options: sessionOptions,
    })
    const sessions = model.sessions as Record<string, RuntimeSession>
    for (const [name, session] of Object.entries(sessions)) sessions[name] = toFloatSession(session, (output) => staysHalf(output, manifest))
    return model
  } catch (error) {
    throw modelLoadFailed({ model: manifest.model, device, reason: toReason(error) }, { cause: error })
  }
}

/** Caches go back in. Of the logits of a prompt, which fill gigabytes, `generate` takes the last row before it converts. */
function staysHalf(output: string, { kind }: Manifest): boolean {
  return output.startsWith('present') || (kind === 'text' && output === 'logits')
}

/** The first line of what a library threw, without its final full stop. */
export function toReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return (text.split('\n')[0] ?? '').replace(/\.$/, '').slice(0, 300)
}

/**
 * Asserts that a model can take these token ids.
 * @throws CUCKOO_INFERENCE_INPUT_INVALID for none; CUCKOO_INFERENCE_TOKEN_UNKNOWN for one outside the vocabulary
 */
export function assertTokenIds(manifest: Manifest, model: PreTrainedModel, tokenIds: readonly number[]): void {
  if (tokenIds.length === 0) throw inferenceInputInvalid({ problem: 'there are no input tokens' })
  const config = model.config as unknown as { vocab_size?: number; text_config?: { vocab_size?: number } }
  const vocabularySize = config.vocab_size ?? config.text_config?.vocab_size ?? 2 ** 31
  const foreign = tokenIds.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize)
  if (foreign !== undefined) throw tokenOutOfVocabulary({ model: manifest.model, tokenId: foreign, vocabularySize })
}

/** Inputs of one sequence: `input_ids` and an `attention_mask` of ones, both int64[1, tokens]. */
export function toModelInputs(tokenIds: readonly number[]): { input_ids: Tensor; attention_mask: Tensor } {
  const shape = [1, tokenIds.length]
  return {
    input_ids: new Tensor('int64', BigInt64Array.from(tokenIds, BigInt), shape),
    attention_mask: new Tensor('int64', new BigInt64Array(tokenIds.length).fill(1n), shape),
  }
}
