import type { PipelineRun } from '../../domain/enginePort.ts'
import type { PipelineContent } from '../../domain/task.ts'
import type { PipelineKind } from '../../domain/taskKinds.ts'
import { modelUnsupported } from '../../errors/inference.ts'
import type { ModelToLoad } from '../loadModel.ts'

export interface PipelineRunner {
  /** null when it was cancelled */
  run(content: PipelineContent, media: Uint8Array | null, isCancelled: () => boolean): Promise<PipelineRun | null>
  dispose(): Promise<void>
}

/** The runner of a model of one pipeline kind. */
export async function createPipelineRunner({ manifest }: ModelToLoad & { kind: PipelineKind }): Promise<PipelineRunner> {
  throw modelUnsupported({ model: manifest.model, reason: 'models of this kind are not run yet' })
}
