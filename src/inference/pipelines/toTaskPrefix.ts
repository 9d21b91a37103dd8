import type { Json } from './pipelineRow.ts'

/** The text that transformers.js 4.3.1 puts before the input: the model's prefix, and that of its task, as Text2TextGenerationPipeline does. */
export function toTaskPrefix(config: Json, task: string): string {
  const tasks = (config.task_specific_params ?? {}) as Record<string, { prefix?: string } | undefined>
  return `${tasks[task]?.prefix ?? ''}${typeof config.prefix === 'string' ? config.prefix : ''}`
}
