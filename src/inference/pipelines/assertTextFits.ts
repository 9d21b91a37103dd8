import type { PipelineKind } from '../../domain/taskKinds.ts'
import { contextExceeded } from '../../errors/inference.ts'
import type { PipelineCall } from './pipelineRow.ts'

/**
 * Asserts that the model sees all of `text`: transformers.js would cut it without a word.
 * @throws CUCKOO_INFERENCE_CONTEXT_EXCEEDED
 */
export function assertTextFits<K extends PipelineKind>({ manifest, model }: PipelineCall<K>, text: string, pair?: string): void {
  const promptTokens = model.encode(text, pair).length
  const { contextTokens } = manifest.limits
  if (promptTokens > contextTokens) throw contextExceeded({ model: manifest.model, promptTokens, maxTokens: 0, contextTokens })
}
