import type { PipelineKind } from '../../domain/taskKinds.ts'
import { contextExceeded } from '../../errors/inference.ts'
import type { PipelineCall } from './pipelineRow.ts'

/**
 * Options of a generation whose text depends on the input alone: the likeliest token each time, one beam, whatever the model's
 * own generation_config.json prefers.
 * @throws CUCKOO_INFERENCE_CONTEXT_EXCEEDED when more tokens are asked for than the model writes
 */
export function toGreedy<K extends PipelineKind>({ manifest }: PipelineCall<K>, maxTokens: number): Record<string, unknown> {
  const { maxOutputTokens } = manifest.limits
  if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens > maxOutputTokens)
    throw contextExceeded({ model: manifest.model, promptTokens: 0, maxTokens, contextTokens: maxOutputTokens })
  return { max_new_tokens: maxTokens, do_sample: false, num_beams: 1 }
}
